"""The `wxc` command.

Commands import the application when they run, not at the top of the file: the import takes about a
second, which is most of the run time of a short command.
"""

from typing import Annotated

import typer

from wxc.cli.config import config
from wxc.cli.database import demo, migrate, recount
from wxc.cli.documentation import openapi
from wxc.cli.rates import verify_rates
from wxc.cli.reports import reports
from wxc.cli.serving import serve, worker
from wxc.cli.terminal import show
from wxc.cli.users import user
from wxc.core.build import build_name

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run and operate WXC Social.",
    epilog="Settings are environment variables; .env.example lists all of them. "
    "docs/operations.md is the operator's guide.",
)


def _print_version(*, is_requested: bool) -> None:
    if is_requested:
        show(build_name())
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _print_version(is_requested=value),
            is_eager=True,
            help="Print the version and revision, then exit.",
        ),
    ] = False,
) -> None:
    """Accept options before a command."""


app.add_typer(user, name="user")
app.add_typer(reports, name="reports")
app.add_typer(config, name="config")
# `wxc --help` keeps this order.
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(demo)
app.command()(recount)
app.command()(verify_rates)
app.command()(openapi)
