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
            help="A rate event that you saved from the history API; it must still exist.",
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Check the history of exchange rates for tampering.

    Recomputes the hash chain of every board and compares the current rates with it. Anyone who can
    write to the database can truncate or rebuild a whole chain, so save the newest event of a
    board elsewhere from time to time and pass it as --head. Exit codes: 0 no tampering found;
    1 tampering found; 2 invalid usage or settings; 3 the database cannot be reached.
    """
    from wxc.exchange.history.service import verification

    match = None if head is None else _HEAD.fullmatch(head)
    if head is not None and match is None:
        raise typer.BadParameter("--head must be a number, a colon and 64 hexadecimal digits")
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
