import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from wxc.core.config import Config
from wxc.core.config_reading import read_config
from wxc.core.ports import require_free_port
from wxc.health.exposition import serve_metrics

if TYPE_CHECKING:
    from fastapi import FastAPI

_KEEP_ALIVE_TIMEOUT = 75  # seconds; longer than the load balancer's 60, which must close first
_GC_THRESHOLD = 100_000  # allocated objects, some 10 MB; the default is 700
_CPU_QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")


def serve(config: Config, *, host: str, port: int, workers: int | None, reload: bool) -> None:
    """Serve until SIGTERM, then exit with status 0."""
    import uvicorn

    from wxc.server.protocol import BoundedProtocol

    if config.metrics_port == port:
        raise SystemExit(f"wxc: METRICS_PORT and PORT are both {port}.")
    require_free_port("PORT", host, port)
    # After shutdown, uvicorn raises the caught signals again.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if reload:
        os.environ["SHUTDOWN_DELAY"] = "0"  # no load balancer in development
    # Worker processes read the environment again and do not know the bound host.
    os.environ |= {
        "PUBLISHED_HOST": config.published_host or host,
        "ENVIRONMENT": config.environment,
    }
    with serve_metrics(config):
        uvicorn.run(
            f"{__name__}:application",
            factory=True,
            http=BoundedProtocol,
            ws="none",
            host=host,
            port=port,
            workers=1 if reload else workers or available_cpus(),
            reload=reload,
            reload_dirs=[str(Path(__file__).parents[1])] if reload else None,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=config.forwarded_allow_ips,
            timeout_keep_alive=_KEEP_ALIVE_TIMEOUT,
            timeout_graceful_shutdown=config.shutdown_drain,
        )


def application() -> "FastAPI":
    """The application factory of the worker processes."""
    from wxc.app import create_app

    app = create_app(read_config())
    app.state.services.shutdown.handles_signals = True
    _freeze_permanent_objects()
    return app


def _freeze_permanent_objects() -> None:
    """Exclude objects that live as long as the process from garbage collection.

    Each collection would traverse some 150,000 objects, such as routes and models, and block all
    requests meanwhile: 150 ms at a time, a tenth of all CPU time. Reference counting frees most
    objects of requests, so collections can also be less frequent: another 3 %.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)


def available_cpus(quota: Path = _CPU_QUOTA_FILE) -> int:
    """The number of CPUs within the process's affinity and the container's quota."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    allowed = available or 1
    if quota.exists():
        limit, period = quota.read_text().split()
        if limit != "max":
            allowed = min(allowed, int(limit) // int(period))
    return max(1, allowed)
