"""What the person at the terminal gets to read."""

import sys
from contextlib import suppress


class StackError(Exception):
    """Something only a person can put right; the message says what."""


def say(message: str) -> None:
    """Print to standard output at once, even into a pipe."""
    # A terminal that has been closed must not keep anything from being stopped.
    with suppress(OSError, ValueError):
        print(message, flush=True)


def note(message: str) -> None:
    """Print progress to standard error: the output of `./dev exec` is its command's own."""
    with suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)
