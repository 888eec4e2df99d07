"""Output to the terminal, and the error that is shown there."""

import sys
from contextlib import suppress


class DevError(Exception):
    """An error that the developer can fix; its message says how."""


def print_out(message: str) -> None:
    """Print to standard output and flush, also into a pipe."""
    # A closed terminal must not prevent the shutdown of the processes.
    with suppress(OSError, ValueError):
        print(message, flush=True)


def print_err(message: str) -> None:
    """Print progress to standard error: standard output of `./dev exec` belongs to its command."""
    with suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)
