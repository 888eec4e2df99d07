import asyncio
from typing import Annotated

import typer

from wxc.core.config_reading import read_config
from wxc.core.logging import configure_logging


def serve(
    # All interfaces, for load balancers; weak secrets are refused unless the address is loopback.
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "0.0.0.0",  # noqa: S104
    port: Annotated[int, typer.Option(envvar="PORT", help="The port to listen on.")] = 8000,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            envvar="WORKERS",
            help="The number of processes.",
            show_default="one per processor",
        ),
    ] = None,
    *,
    reload: Annotated[bool, typer.Option(help="Restart when the code changes.")] = False,
) -> None:
    """Serve the API.

    On SIGTERM, /healthz fails while requests are still served for SHUTDOWN_DELAY seconds; open
    requests then have SHUTDOWN_DRAIN seconds to finish. METRICS_PORT adds an internal port for
    Prometheus' /metrics and a detailed /readyz.
    """
    from wxc.server import runner

    config = read_config(host)
    configure_logging(config)
    runner.serve(config, host=host, port=port, workers=workers, reload=reload)


def worker() -> None:
    """Run the background jobs: mails, account deletion, exchange reminders, clean-up.

    Several workers can run at the same time. On SIGTERM a worker finishes its current batch;
    another worker, or the next start, does the rest. METRICS_PORT adds an internal port for
    Prometheus' /metrics and a detailed /readyz.
    """
    from wxc.core.tracing import trace_spans
    from wxc.health.exposition import serve_metrics

    config = read_config()
    configure_logging(config)
    with serve_metrics(config), trace_spans(config, "wxc-worker"):
        # Imports prometheus_client, whose storage `serve_metrics` has to choose first.
        from wxc.worker import runner

        asyncio.run(runner.run_worker(config))
