"""`./dev bench login`: does the time of an answer tell whether there is an account?

Pairs of requests, one about a member and one about nobody, take turns on one connection. The
difference of their medians must stay within the bound, 5 % unless chosen otherwise.
"""

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from bench.server import serving

# Equally long, and each asked about as often as the other: limits keep a history by name.
_MEMBER, _NOBODY = "ada_lovelace", "nobody_there"
_ACCOUNT = {
    "username": _MEMBER,
    "email": f"{_MEMBER}@example.com",
    "password": "a walk in the rain",
}
_WARM_UP = 20  # pairs that do not count
Ask = Callable[[http.client.HTTPConnection, str], None]


@dataclass(frozen=True)
class Comparison:
    """How long two kinds of requests took, in milliseconds."""

    what: str
    pairs: int
    known: float
    unknown: float

    @property
    def percent(self) -> float:
        """How much longer it takes for a member; negative where it takes less."""
        return 100 * (self.known - self.unknown) / self.unknown


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 if the times differ by more than the bound."""
    chosen = _parser().parse_args(arguments)
    with serving() as connection:
        _send(connection, "/register", 201, _ACCOUNT)
        found = [
            _compare("POST /login", _log_in, connection, chosen.pairs),
            _compare("POST /request-password-reset", _ask_for_reset, connection, chosen.pairs),
        ]
    if chosen.json:
        print(json.dumps([asdict(one) | {"percent": one.percent} for one in found], indent=2))
    else:
        _show(found, chosen.bound)
    return 0 if all(abs(one.percent) <= chosen.bound for one in found) else 1


def _compare(what: str, ask: Ask, connection: http.client.HTTPConnection, pairs: int) -> Comparison:
    """The medians; within a pair now the one comes first, now the other."""
    known: list[float] = []
    unknown: list[float] = []
    for number in range(-_WARM_UP, pairs):
        turns = [(known, _MEMBER), (unknown, _NOBODY)]
        for times, name in turns if number % 2 else reversed(turns):
            started = time.perf_counter()
            ask(connection, name)
            times.append(1000 * (time.perf_counter() - started))
    medians = (statistics.median(times[_WARM_UP:]) for times in (known, unknown))
    return Comparison(what, pairs, *medians)


def _log_in(connection: http.client.HTTPConnection, name: str) -> None:
    body = {"identifier": name, "password": "not the password"}
    _send(connection, "/login", 401, body)


def _ask_for_reset(connection: http.client.HTTPConnection, name: str) -> None:
    _send(connection, "/request-password-reset", 202, {"email": f"{name}@example.com"})


def _send(
    connection: http.client.HTTPConnection, path: str, status: int, body: dict[str, str]
) -> None:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != status:
        sys.exit(f"{path} answered {answer.status} instead of {status}: {said.decode()[:300]}")


def _show(found: Sequence[Comparison], bound: float) -> None:
    print(f"{'':<30}{'pairs':>6}{'member ms':>11}{'nobody ms':>11}{'differ by':>11}")
    for one in found:
        verdict = "" if abs(one.percent) <= bound else f"  more than {bound:g} %"
        print(
            f"{one.what:<30}{one.pairs:>6}{one.known:>11.2f}{one.unknown:>11.2f}"
            f"{one.percent:>+9.2f} %{verdict}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench login", description=__doc__)
    parser.add_argument("--pairs", type=int, default=300, help="how many pairs (default: 300)")
    parser.add_argument("--bound", type=float, default=5.0, help="in percent (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
