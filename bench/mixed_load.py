"""The latency of `/livez` while logins saturate password hashing.

Nothing is pinned, as in production: there is one worker per processor, and each hashes in one
thread of low priority. Many connections log in with correct passwords; eight others request
`/livez`, each 20 ms after the previous answer.
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
from bench.data import filled_database
from bench.load import Findings, log_progress, quietest_round
from bench.machine import Steal, processors
from bench.options import Options
from bench.server import start_server
from bench.settings import environment, wxc
from bench.wrk import Request, WrkResult
from wxc.demo import members as demo

RATIO = "livez p99, saturated ÷ idle"
_LOGINS_PER_WORKER = 24  # fewer than the queue holds, far more than run in parallel
_LOGIN_PAUSE_MS = 100  # before each login, so that refused ones are not repeated immediately
_PROBES, _PROBE_PAUSE_MS = 8, 20  # connections, and the pause of each between requests
_QUEUE_FILL_SECONDS = 1


@dataclass(frozen=True)
class _Round:
    idle: WrkResult
    saturated: WrkResult
    logins: WrkResult
    steal: float


def login_mixed_load(options: Options) -> Findings:
    database_url = filled_database(options.members)
    workers = len(processors())
    settings = environment(database_url) | {"WORKERS": str(workers), "LOG_LEVEL": "error"}
    with TemporaryDirectory() as folder, start_server([wxc(), "serve"], settings) as server:
        probe = wrk.write_script(
            Path(folder) / "probe.lua", [Request("/livez", {})], pause_ms=_PROBE_PAUSE_MS
        )
        logins = wrk.write_script(
            Path(folder) / "logins.lua",
            _logins(),
            pause_ms=_LOGIN_PAUSE_MS,
            tolerates_refusals=True,
        )

        def run() -> _Round:
            steal = Steal.sample()
            idle = wrk.run(probe, server.port, _PROBES, options.seconds)
            connections = _LOGINS_PER_WORKER * workers
            load = wrk.start(
                logins, server.port, connections, options.seconds + 2 * _QUEUE_FILL_SECONDS
            )
            time.sleep(_QUEUE_FILL_SECONDS)
            saturated = wrk.run(probe, server.port, _PROBES, options.seconds)
            return _require_success(_Round(idle, saturated, wrk.finish(load), steal.percent()))

        run()  # not counted: starts all workers
        rounds = []
        for number in range(options.rounds):
            rounds.append(quietest_round(run))
            log_progress(
                f"login-mix {number + 1}/{options.rounds}: {rounds[-1].saturated.p99:.1f} ms"
            )
    return Findings(figures=_figures(rounds))


def _logins() -> Sequence[Request]:
    content_type = {"Content-Type": "application/json"}
    return [
        Request(
            "/login",
            content_type,
            "POST",
            json.dumps({"identifier": f"member_{number}", "password": demo.PASSWORD}),
        )
        for number in range(100, 400)
    ]


def _require_success(measured: _Round) -> _Round:
    for name, result in (
        ("/livez", measured.idle),
        ("/livez", measured.saturated),
        ("/login", measured.logins),
    ):
        if result.failed or result.requests <= result.refused:
            sys.exit(f"{name}: {result.failed} of {result.requests} requests failed.")
    return measured


def _figures(rounds: Sequence[_Round]) -> dict[str, float]:
    idle = statistics.median([measured.idle.p99 for measured in rounds])
    saturated = statistics.median([measured.saturated.p99 for measured in rounds])
    logins = [measured.logins for measured in rounds]
    return {
        "livez p50 idle, ms": statistics.median([measured.idle.p50 for measured in rounds]),
        "livez p99 idle, ms": idle,
        "livez p50 while logins saturate hashing, ms": statistics.median(
            [measured.saturated.p50 for measured in rounds]
        ),
        "livez p99 while logins saturate hashing, ms": saturated,
        RATIO: saturated / idle,
        "logins/s": statistics.median(
            [(result.requests - result.refused) / result.seconds for result in logins]
        ),
        "logins refused as too many/s": statistics.median(
            [result.refused / result.seconds for result in logins]
        ),
    }
