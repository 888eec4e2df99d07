"""What whoever starts a bench can choose."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from bench.data import MEMBERS


@dataclass(frozen=True)
class Choice:
    """The options of `./dev bench NAME`."""

    members: int
    rounds: int
    seconds: int
    is_json: bool
    writes: bool
    against: str | None = None
    """Another revision, measured in turns with this one."""


def choose(arguments: Sequence[str]) -> Choice:
    """The options that are given, and what holds without them."""
    parser = argparse.ArgumentParser(
        prog="./dev bench NAME", description="bench/README.md says what is measured and how."
    )
    parser.add_argument(
        "--members", type=int, default=MEMBERS, help=f"how many (default: {MEMBERS:,})"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--seconds", type=int, default=4, help="of a round (default: 4)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--write", action="store_true", help="write bench/results.md and .json")
    parser.add_argument(
        "--against", metavar="REV", help="measure that commit too, in turns with this checkout"
    )
    chosen = parser.parse_args(arguments)
    return Choice(
        chosen.members,
        chosen.rounds,
        chosen.seconds,
        chosen.json,
        chosen.write,
        chosen.against,
    )
