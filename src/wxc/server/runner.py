"""`wxc serve`: uvicorn as it should be behind a load balancer."""

import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from wxc.core.config import Config
from wxc.core.config_reading import read_config
from wxc.health.exposition import serve_metrics

if TYPE_CHECKING:
    from fastapi import FastAPI

_KEEP_ALIVE = 75  # seconds; longer than the load balancer's 60, so that it never meets a closed end
_OBJECTS_BETWEEN_LOOKS = 100_000  # some 10 MB; Python's own number is 700
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def serve(config: Config, *, host: str, port: int, workers: int | None, reload: bool) -> None:
    """Serve until SIGTERM; that is an end in good order, whose exit code is 0."""
    import uvicorn

    from wxc.server.protocol import BoundedProtocol

    # uvicorn raises what it has caught once more when it has ended.
    signal.signal(signal.SIGTERM, lambda *_: None)
    if reload:
        os.environ["SHUTDOWN_DELAY"] = "0"  # who writes code does not wait for load balancers
    # The server's processes read their configuration again, and bind nothing themselves.
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
            workers=1 if reload else workers or cores(),
            reload=reload,
            reload_dirs=[str(Path(__file__).parents[1])] if reload else None,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=config.forwarded_allow_ips,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=config.shutdown_drain,
        )


def application() -> "FastAPI":
    """The application as the environment configures it, for the server's processes."""
    from wxc.app import create_app

    app = create_app(read_config())
    app.state.services.departure.is_by_signal = True
    _exempt_what_stays()
    return app


def _exempt_what_stays() -> None:
    """Keep the garbage collector from what lives as long as the process.

    It would look through some 150,000 objects again and again, routes and models, and hold up all
    requests meanwhile: 150 ms at a time, a tenth of all CPU time. What requests leave behind is
    mostly freed without it, so that it may look at that more seldom too: another 3 %.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)


def cores(quota: Path = _QUOTA) -> int:
    """How many processors this process may keep busy, as the system and its container say."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    allowed = available or 1
    if quota.exists():
        most, period = quota.read_text().split()
        if most != "max":
            allowed = min(allowed, int(most) // int(period))
    return max(1, allowed)
