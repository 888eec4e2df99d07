"""`wxc`: what operators type.

Each command imports what it needs when it is called: the whole application takes a second to
import, which is the better part of what a short command takes.
"""

import asyncio
import difflib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from wxc.cli.config import config
from wxc.cli.engines import reaching
from wxc.cli.rates import verify_rates
from wxc.cli.reports import reports
from wxc.cli.users import user
from wxc.core.config import Config
from wxc.core.config_reading import read_config
from wxc.core.logging import configure_logging

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="WXC Social: serve it, and look after it.",
    epilog="Settings are environment variables, all of them in .env.example. "
    "How to run it is in docs/operations.md.",
)
app.add_typer(user, name="user")
app.add_typer(reports, name="reports")
app.add_typer(config, name="config")
app.command()(verify_rates)


@app.command()
def serve(
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
    from wxc.server import runner as serving

    settings = read_config(host)
    configure_logging(settings)
    serving.serve(settings, host=host, port=port, workers=workers, reload=reload)


@app.command()
def worker() -> None:
    """Send mails, clear up after deleted accounts, remind exchanges; any number may run.

    On SIGTERM it ends what it has begun; what was left is another one's, or the next one's. With
    METRICS_PORT, Prometheus may ask how it is doing.
    """
    from wxc.core.tracing import trace_spans
    from wxc.health.exposition import exposed

    settings = read_config()
    configure_logging(settings)
    with exposed(settings), trace_spans(settings, "wxc-worker"):
        from wxc.worker import runner as background  # not before it is known where metrics are kept

        asyncio.run(background.work(settings))


@app.command()
def migrate(
    *,
    sql: Annotated[
        bool, typer.Option("--sql", help="Write all statements for a new database; run none.")
    ] = False,
) -> None:
    """Bring the database's schema to what the code expects; any number may try at once.

    With DATABASE_ADMIN_URL it makes the role of DATABASE_URL first, and PostGIS. It waits for locks
    as briefly as traffic can bear, and tries again. Exit codes: 0 the schema is as it should be;
    1 it is not; 2 wrong settings; 3 the database cannot be reached.
    """
    from wxc.db import migrations, preparation
    from wxc.db.errors import UNAVAILABLE_ERRORS

    if sql:
        migrations.write_sql()
        return
    settings = read_config()
    configure_logging(settings)
    try:
        if settings.database_admin_url is not None:
            preparation.prepare(settings.database_admin_url, settings.database_url)
        migrations.migrate()
    except migrations.SchemaConflict as conflict:
        typer.echo(f"wxc: {conflict}", err=True)
        raise typer.Exit(1) from None
    except UNAVAILABLE_ERRORS as error:
        is_refused = getattr(getattr(error, "orig", error), "sqlstate", None) is not None
        typer.echo(f"wxc: {error}", err=True)
        raise typer.Exit(1 if is_refused else 3) from None


@app.command()
def demo(
    members: Annotated[
        int, typer.Option(min=1, help="How many members; a large number is filled in by COPY.")
    ] = 8,
    *,
    if_empty: Annotated[
        bool, typer.Option(help="Do nothing where there are members already.")
    ] = False,
    logins: Annotated[
        bool, typer.Option(help="Only print the names and the password to log in with.")
    ] = False,
) -> None:
    """Fill an empty database with members, posts, threads and exchanges, always the same."""
    from wxc.demo import members as demo_data

    if not logins:
        try:
            filled = asyncio.run(demo_data.fill(read_config(), members))
        except demo_data.NotEmpty:
            if if_empty:
                return
            typer.echo("This database has members already; demo data goes into an empty one.")
            raise typer.Exit(1) from None
        typer.echo(filled)
    if not if_empty:
        typer.echo(demo_data.logins())


@app.command()
def recount(
    *,
    repair: Annotated[bool, typer.Option(help="Put right what has drifted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Compare every counter with the rows it counts.

    Harmless while the service runs: it reads in batches, and locks only what it repairs. Exit
    codes: 0 all are right, or put right; 1 one is wrong; 2 wrong usage or settings; 3 the database
    cannot be reached.
    """
    from wxc.db import recount as counters

    with reaching("database"):
        drifts = asyncio.run(counters.recount(read_config(), repair=repair, hidden=as_json))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in drifts]))
    else:
        for one in drifts:
            typer.echo(f"{one.counter:24} {one.drifted} wrong, {one.repaired} repaired")
    if any(one.drifted > one.repaired for one in drifts):
        raise typer.Exit(1)


@app.command()
def openapi(
    path: Annotated[Path, typer.Argument(help="Where the document belongs.")] = Path(
        "openapi.json"
    ),
    *,
    check: Annotated[
        bool, typer.Option(help="Write nothing; fail when it is out of date.")
    ] = False,
) -> None:
    """Write the OpenAPI document that the code generates."""
    generated = json.dumps(_document(), indent=2, ensure_ascii=False) + "\n"
    if not check:
        path.write_text(generated)
        return
    committed = path.read_text() if path.exists() else ""
    if committed != generated:
        difference = difflib.unified_diff(
            committed.splitlines(), generated.splitlines(), "committed", "generated", "", "", 1, ""
        )
        typer.echo("\n".join(list(difference)[:40]))
        typer.echo(f"{path} is not what the code generates; run: ./dev exec wxc openapi")
        raise typer.Exit(1)


def _document() -> dict[str, Any]:
    """The document does not depend on the configuration; any that is complete will do."""
    from wxc.app import create_app

    nowhere = Config(
        environment="development",
        published_host="127.0.0.1",
        database_url="postgresql://nowhere",
        redis_url="redis://nowhere",
        secret_key=SecretStr("none"),
        jwt_secret_key=SecretStr("none"),
    )
    return create_app(nowhere).openapi()
