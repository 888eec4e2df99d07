"""The internal port, which the load balancer does not forward to: `/metrics` and `/readyz`.

prometheus_client chooses its storage when it is imported. Before that, this module configures
memory-mapped files that all processes of a command share. The parent process serves `/metrics`,
since with several workers it serves no requests; `/readyz` checks with its own connections.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from wxc.core.config import Config
from wxc.core.ports import require_free_port

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import Metric

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PORT_ADVICE = "Each `wxc serve` and `wxc worker` needs its own."


@contextmanager
def serve_metrics(config: Config) -> Iterator[None]:
    """Serve the internal port, `METRICS_PORT`, inside the block; nothing without that setting."""
    if config.metrics_port is None:
        yield
        return
    with TemporaryDirectory(prefix="wxc-metrics-") as folder:
        os.environ[_FOLDER_VARIABLE] = folder
        from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server

        registry = CollectorRegistry()
        registry.register(_AllProcessesCollector(Path(folder)))
        require_free_port("METRICS_PORT", config.metrics_host, config.metrics_port, _PORT_ADVICE)
        server, thread = start_http_server(config.metrics_port, config.metrics_host, registry)
        server.set_app(_InternalPages(config, make_wsgi_app(registry)))
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            del os.environ[_FOLDER_VARIABLE]


class _InternalPages:
    """The WSGI application of the internal port."""

    def __init__(self, config: Config, metrics: "WSGIApplication") -> None:
        self._config = config
        self._metrics = metrics

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return self._metrics(environ, start_response)
        if path != "/readyz":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is only /metrics and /readyz.\n"]
        # Imports SQLAlchemy, which the parent of several processes does not need otherwise.
        from wxc.health.internal_readiness import describe_readiness

        is_ready, description = describe_readiness(self._config)
        status = "200 OK" if is_ready else "503 Service Unavailable"
        start_response(status, [("Content-Type", "application/json")])
        return [description]


class _AllProcessesCollector:
    """Aggregates the metrics of all processes; drops the gauges of processes that have ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> "Iterable[Metric]":
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        for path in self._folder.glob("gauge_live*_*.db"):
            if not _is_alive(int(path.stem.rpartition("_")[2])):
                path.unlink(missing_ok=True)
        collector = MultiProcessCollector(CollectorRegistry(), str(self._folder))  # type: ignore[no-untyped-call]
        return cast("Iterable[Metric]", collector.collect())  # type: ignore[no-untyped-call]


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, PermissionError):
        return False  # ended; a process of another user may have its id now
    return True
