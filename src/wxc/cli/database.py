import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from wxc.cli.engines import exit_if_unreachable
from wxc.core.config_reading import read_config
from wxc.core.logging import configure_logging


def migrate(
    *,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL for an empty database; do not run it.")
    ] = False,
) -> None:
    """Migrate the database to the newest schema; concurrent runs wait for each other.

    Connects as the role of DATABASE_OWNER_URL, which owns the schema, and grants the role of
    DATABASE_URL the rights of the service. With DATABASE_ADMIN_URL it first creates these roles and
    PostGIS. Lock waits are short, so that traffic is not blocked, and are retried. Exit codes: 0
    the schema is up to date; 1 the migration failed; 2 invalid settings; 3 the database cannot be
    reached.
    """
    from wxc.db import migrations, preparation, service_role
    from wxc.db.errors import UNAVAILABLE_ERRORS

    if sql:
        migrations.write_sql()
        return
    config = read_config()
    configure_logging(config)
    try:
        if admin := config.database_admin_url:
            roles = config.database_url, config.database_owner_url
            migrations.retry_when_locked(lambda: preparation.prepare(admin, *roles))
        migrations.migrate()
        for weakness in asyncio.run(service_role.find_weaknesses(config)):
            typer.echo(f"wxc: warning: {weakness}", err=True)
    except migrations.SchemaConflict as conflict:
        typer.echo(f"wxc: {conflict}", err=True)
        raise typer.Exit(1) from None
    except UNAVAILABLE_ERRORS as error:
        is_refused = getattr(getattr(error, "orig", error), "sqlstate", None) is not None
        typer.echo(f"wxc: {error}", err=True)
        raise typer.Exit(1 if is_refused else 3) from None


def demo(
    members: Annotated[
        int, typer.Option(min=1, help="Number of members; use a large number for load tests.")
    ] = 8,
    *,
    if_empty: Annotated[
        bool, typer.Option(help="Do nothing if the database has members already.")
    ] = False,
    logins: Annotated[
        bool, typer.Option(help="Only print the demo usernames and their password.")
    ] = False,
) -> None:
    """Fill an empty database with repeatable demo members, posts, threads and exchanges."""
    from wxc.demo import members as demo_data

    if not logins and not _fill(members, if_empty=if_empty):
        return
    if not if_empty:
        typer.echo(demo_data.login_hint())


def _fill(members: int, *, if_empty: bool) -> bool:
    """False if the database has members already and `if_empty` allows that."""
    from wxc.demo import members as demo_data

    config = read_config()
    if config.environment == "production":
        typer.echo("The demo's password is public, so ENVIRONMENT=production has no demo data.")
        raise typer.Exit(1)
    try:
        summary = asyncio.run(demo_data.fill(config, members))
    except demo_data.NotEmpty:
        if if_empty:
            return False
        typer.echo("The database has members already. Demo data needs an empty database.")
        raise typer.Exit(1) from None
    typer.echo(summary)
    return True


def recount(
    *,
    repair: Annotated[bool, typer.Option(help="Correct the counters that are wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare every counter with the rows it counts.

    Safe while the service runs: it reads in batches and locks only the rows that it repairs. Exit
    codes: 0 all counters are right or were repaired; 1 a counter is wrong; 2 invalid usage or
    settings; 3 the database cannot be reached.
    """
    from wxc.db import recount as counters

    with exit_if_unreachable("database"):
        drifts = asyncio.run(counters.recount(read_config(), repair=repair, hidden=as_json))
    if as_json:
        typer.echo(json.dumps([asdict(drift) for drift in drifts]))
    else:
        for drift in drifts:
            typer.echo(f"{drift.counter:24} {drift.drifted} wrong, {drift.repaired} repaired")
    if any(drift.drifted > drift.repaired for drift in drifts):
        raise typer.Exit(1)
