"""`./dev bench login`: does the response time reveal whether an account exists?

Pairs of requests, one for a member and one for an unknown name, alternate on one connection. The
difference of their medians must stay within the bound, 5 % by default.
"""

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from bench.server import serve_empty

# Equally long and equally often requested: rate limits keep a history by name.
_KNOWN, _UNKNOWN = "ada_lovelace", "nobody_there"
_ACCOUNT = {
    "username": _KNOWN,
    "email": f"{_KNOWN}@example.com",
    "password": "a walk in the rain",
}
_WARM_UP_PAIRS = 20
SendRequest = Callable[[http.client.HTTPConnection, str], None]


@dataclass(frozen=True)
class Comparison:
    """The median response times of two kinds of requests, in milliseconds."""

    what: str
    pairs: int
    known: float
    unknown: float

    @property
    def percent(self) -> float:
        """The excess for a known account; negative if it is faster."""
        return 100 * (self.known - self.unknown) / self.unknown


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 1 if the times differ by more than the bound."""
    parsed = _parser().parse_args(arguments)
    with serve_empty() as connection:
        _send(connection, "/register", 201, _ACCOUNT)
        comparisons = [
            _compare("POST /login", _log_in, connection, parsed.pairs),
            _compare("POST /request-password-reset", _request_reset, connection, parsed.pairs),
        ]
    if parsed.json:
        print(
            json.dumps(
                [
                    asdict(comparison) | {"percent": comparison.percent}
                    for comparison in comparisons
                ],
                indent=2,
            )
        )
    else:
        _show(comparisons, parsed.bound)
    return 0 if all(abs(comparison.percent) <= parsed.bound for comparison in comparisons) else 1


def _compare(
    what: str, send: SendRequest, connection: http.client.HTTPConnection, pairs: int
) -> Comparison:
    """Measure the pairs; the order within a pair alternates."""
    known: list[float] = []
    unknown: list[float] = []
    for number in range(-_WARM_UP_PAIRS, pairs):
        turns = [(known, _KNOWN), (unknown, _UNKNOWN)]
        for times, name in turns if number % 2 else reversed(turns):
            started = time.perf_counter()
            send(connection, name)
            times.append(1000 * (time.perf_counter() - started))
    medians = (statistics.median(times[_WARM_UP_PAIRS:]) for times in (known, unknown))
    return Comparison(what, pairs, *medians)


def _log_in(connection: http.client.HTTPConnection, name: str) -> None:
    body = {"identifier": name, "password": "not the password"}
    _send(connection, "/login", 401, body)


def _request_reset(connection: http.client.HTTPConnection, name: str) -> None:
    _send(connection, "/request-password-reset", 202, {"email": f"{name}@example.com"})


def _send(
    connection: http.client.HTTPConnection, path: str, status: int, body: dict[str, str]
) -> None:
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    response_body = answer.read()
    if answer.status != status:
        sys.exit(
            f"{path} answered {answer.status} instead of {status}: {response_body.decode()[:300]}"
        )


def _show(comparisons: Sequence[Comparison], bound: float) -> None:
    print(f"{'':<30}{'pairs':>6}{'member ms':>11}{'unknown ms':>11}{'differ by':>11}")
    for comparison in comparisons:
        verdict = "" if abs(comparison.percent) <= bound else f"  more than {bound:g} %"
        print(
            f"{comparison.what:<30}{comparison.pairs:>6}{comparison.known:>11.2f}{comparison.unknown:>11.2f}"
            f"{comparison.percent:>+9.2f} %{verdict}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench login", description=__doc__)
    parser.add_argument("--pairs", type=int, default=300, help="how many pairs (default: 300)")
    parser.add_argument("--bound", type=float, default=5.0, help="in percent (default: 5)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
