"""Does the server still answer others while it hashes as many passwords as it can?

As in production nobody has a processor of their own: there is a worker for each, and each worker
hashes in one thread of low priority. Many log in with the right password, over and over; beside
them eight connections ask for `/livez` fifty times a second each.
"""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import wrk
from bench.choice import Choice
from bench.data import filled
from bench.load import Findings, quietest, say
from bench.machine import Steal, processors
from bench.server import served
from bench.settings import environment, wxc
from bench.wrk import Counted, Request
from wxc.demo import members as demo

RATIO = "livez p99, saturated ÷ idle"
_LOGINS_PER_WORKER = (
    24  # fewer than have a place in the queue, and far more than are hashed at once
)
_THOUGHT = 100  # milliseconds before each login, so that who is refused does not knock at once
_PROBES, _PAUSE = 8, 20  # connections, and milliseconds between two requests of each
_HEAD_START = 1  # seconds in which the queue of logins fills


@dataclass(frozen=True)
class _Round:
    idle: Counted
    saturated: Counted
    logins: Counted
    steal: float


def login_mix(choice: Choice) -> Findings:
    """Latencies of `/livez` without and with logins."""
    database_url = filled(choice.members)
    workers = len(processors())
    settings = environment(database_url) | {"WORKERS": str(workers), "LOG_LEVEL": "error"}
    with TemporaryDirectory() as folder, served([wxc(), "serve"], settings) as server:
        probe = wrk.script(Path(folder) / "probe.lua", [Request("/livez", {})], pause=_PAUSE)
        logins = wrk.script(
            Path(folder) / "logins.lua", _logins(), pause=_THOUGHT, is_tolerant=True
        )

        def run() -> _Round:
            steal = Steal.begin()
            idle = wrk.run(probe, server.port, _PROBES, choice.seconds)
            crowd = _LOGINS_PER_WORKER * workers
            load = wrk.begin(logins, server.port, crowd, choice.seconds + 2 * _HEAD_START)
            time.sleep(_HEAD_START)
            saturated = wrk.run(probe, server.port, _PROBES, choice.seconds)
            return _checked(_Round(idle, saturated, wrk.end(load), steal.percent()))

        run()  # does not count: all workers have started now
        rounds = []
        for number in range(choice.rounds):
            rounds.append(quietest(run))
            say(f"login-mix {number + 1}/{choice.rounds}: {rounds[-1].saturated.p99:.1f} ms")
    return Findings(figures=_figures(rounds))


def _logins() -> Sequence[Request]:
    """Of many members, each with the right password."""
    kind = {"Content-Type": "application/json"}
    return [
        Request(
            "/login",
            kind,
            "POST",
            json.dumps({"identifier": f"member_{number}", "password": demo.PASSWORD}),
        )
        for number in range(100, 400)
    ]


def _checked(one: _Round) -> _Round:
    for name, counted in (("/livez", one.idle), ("/livez", one.saturated), ("/login", one.logins)):
        if counted.failed or counted.requests <= counted.refused:
            sys.exit(f"{name}: {counted.failed} of {counted.requests} requests failed.")
    return one


def _figures(rounds: Sequence[_Round]) -> dict[str, float]:
    def median(of: Sequence[float]) -> float:
        return statistics.median(of)

    idle = median([one.idle.p99 for one in rounds])
    saturated = median([one.saturated.p99 for one in rounds])
    logins = [one.logins for one in rounds]
    return {
        "livez p50 idle, ms": median([one.idle.p50 for one in rounds]),
        "livez p99 idle, ms": idle,
        "livez p50 while logins saturate hashing, ms": median(
            [one.saturated.p50 for one in rounds]
        ),
        "livez p99 while logins saturate hashing, ms": saturated,
        RATIO: saturated / idle,
        "logins/s": median([(one.requests - one.refused) / one.seconds for one in logins]),
        "logins refused as too many/s": median([one.refused / one.seconds for one in logins]),
    }
