"""`wxc verify-rates`: checks the history of rates for tampering."""

import re
from typing import Annotated

import typer

from wxc.cli.engines import Json, run
from wxc.cli.terminal import show_json

_HEAD = re.compile(r"([1-9][0-9]{0,8}):([0-9a-f]{64})")


def verify_rates(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ:HASH",
            help="An event that you have kept, as the API's history shows it; it must be there.",
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Compute the hashes of all rate events anew, and compare the boards with them.

    Whoever can write to the database can shorten a chain, or make all of it anew: keep the newest
    event of a board elsewhere now and then, and give it as --head. Exit codes: 0 all is as it was
    written; 1 something is not; 2 wrong usage or settings; 3 the database cannot be reached.
    """
    from wxc.exchange.history.service import verification

    match = None if head is None else _HEAD.fullmatch(head)
    if head is not None and match is None:
        raise typer.BadParameter("--head takes a number, a colon and 64 hexadecimal digits")
    expected_head = (int(match[1]), bytes.fromhex(match[2])) if match else None
    result = run(lambda engines: verification.verify_rates(engines.database, expected_head))
    if as_json:
        show_json(result)
    else:
        typer.echo(f"{result.events:,} events of {result.boards:,} boards.")
    for fault in result.faults:
        typer.echo(f"wxc: {fault}", err=True)
    if result.faults:
        raise typer.Exit(1)
