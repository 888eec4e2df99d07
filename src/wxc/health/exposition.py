"""`/metrics`, on a port of its own that no load balancer knows.

prometheus_client decides when it is imported where values are kept: this module tells it, before
anything else of ours imports it, to keep them in files of memory that all processes of a command
share. They are read in the process that was started first, which serves no request where there
are several.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from wxc.core.config import Config

if TYPE_CHECKING:
    from prometheus_client import Metric

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def exposed(config: Config) -> Iterator[None]:
    """Answer what Prometheus asks on `METRICS_PORT`, while the block lasts; nothing without it."""
    if config.metrics_port is None:
        yield
        return
    with TemporaryDirectory(prefix="wxc-metrics-") as folder:
        os.environ[_FOLDER] = folder
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry()
        registry.register(_AllProcesses(Path(folder)))
        try:
            server, thread = start_http_server(config.metrics_port, config.metrics_host, registry)
        except OSError as error:
            raise SystemExit(f"wxc: METRICS_PORT {config.metrics_port}: {error}") from None
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            del os.environ[_FOLDER]


class _AllProcesses:
    """Adds up what the processes have written; the gauges of those that died are forgotten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> "Iterable[Metric]":
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        for path in self._folder.glob("gauge_live*_*.db"):
            if not _is_alive(int(path.stem.rpartition("_")[2])):
                path.unlink(missing_ok=True)
        together = MultiProcessCollector(CollectorRegistry(), str(self._folder))  # type: ignore[no-untyped-call]
        return cast("Iterable[Metric]", together.collect())  # type: ignore[no-untyped-call]


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except (ProcessLookupError, PermissionError):  # gone, or its number is somebody else's by now
        return False
    return True
