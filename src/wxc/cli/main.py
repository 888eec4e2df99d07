"""`wxc`: the commands for operators, one file per group.

Each command imports what it needs when it runs: importing the whole application takes about a
second, which is most of the time that a short command takes.
"""

import typer

from wxc.cli.config import config
from wxc.cli.database import demo, migrate, recount
from wxc.cli.documentation import openapi
from wxc.cli.rates import verify_rates
from wxc.cli.reports import reports
from wxc.cli.serving import serve, worker
from wxc.cli.users import user

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
# In the order of `wxc --help`.
app.command()(verify_rates)
app.command()(serve)
app.command()(worker)
app.command()(migrate)
app.command()(demo)
app.command()(recount)
app.command()(openapi)
