"""`wxc serve` and `wxc worker`: the processes of a deployment."""

import asyncio
from typing import Annotated

import typer

from wxc.core.config_reading import read_config
from wxc.core.logging import configure_logging


def serve(
    # Behind a load balancer; secrets are checked strictly unless it is loopback.
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "0.0.0.0",  # noqa: S104
    port: Annotated[int, typer.Option(envvar="PORT", help="The port to listen on.")] = 8000,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            envvar="WORKERS",
            help="How many processes serve.",
            show_default="one for each processor",
        ),
    ] = None,
    *,
    reload: Annotated[bool, typer.Option(help="Start anew when the code changes.")] = False,
) -> None:
    """Serve the API, behind a load balancer or by itself.

    On SIGTERM it turns /healthz red and goes on serving for SHUTDOWN_DELAY seconds, then ends what
    is under way within SHUTDOWN_DRAIN. METRICS_PORT opens a second port, for Prometheus.
    """
    from wxc.server import runner

    config = read_config(host)
    configure_logging(config)
    runner.serve(config, host=host, port=port, workers=workers, reload=reload)


def worker() -> None:
    """Send mails, clear up after deleted accounts, remind exchanges; any number may run.

    On SIGTERM it ends what it has begun; what was left is another one's, or the next one's. With
    METRICS_PORT, Prometheus may ask how it is doing.
    """
    from wxc.core.tracing import trace_spans
    from wxc.health.exposition import serve_metrics

    config = read_config()
    configure_logging(config)
    with serve_metrics(config), trace_spans(config, "wxc-worker"):
        # Imports prometheus_client, for which `serve_metrics` has to choose the storage first.
        from wxc.worker import runner

        asyncio.run(runner.run_worker(config))
