import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from bench.data import DEFAULT_MEMBERS


@dataclass(frozen=True)
class Options:
    """The options of `./dev bench NAME`."""

    members: int
    rounds: int
    seconds: int
    is_json: bool
    is_saved: bool
    against: str | None = None
    """Another revision, measured alternately with this one."""


def parse_options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="./dev bench NAME", description="See bench/README.md.")
    parser.add_argument(
        "--members",
        type=int,
        default=DEFAULT_MEMBERS,
        help=f"how many (default: {DEFAULT_MEMBERS:,})",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--seconds", type=int, default=4, help="of a round (default: 4)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--write", action="store_true", help="write bench/results.md and .json")
    parser.add_argument(
        "--against", metavar="REV", help="also measure that commit, alternately with this checkout"
    )
    parsed = parser.parse_args(arguments)
    return Options(
        parsed.members,
        parsed.rounds,
        parsed.seconds,
        parsed.json,
        parsed.write,
        parsed.against,
    )
