"""Load from wrk, and what it costs: requests a second, latency, and CPU time of each side."""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.data import connect
from bench.machine import Steal, cpu_of, family_of, parent_of, pin
from bench.server import Served

MOST_STEAL = 4.0  # percent; a round in which the host took more is repeated
_MOST_REPEATS = 3  # for each round that is wanted
_WARM_UP = 2  # seconds that do not count
_CONNECTIONS = 32


@dataclass(frozen=True)
class Request:
    """What is sent again and again."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: str | None = None


@dataclass(frozen=True)
class Target:
    """A server under load, and what it is asked."""

    name: str
    server: Served
    requests: Sequence[Request]


@dataclass(frozen=True)
class Round:
    """What one round of seconds has shown; latencies in milliseconds, CPU time in microseconds."""

    requests_per_second: float
    p50: float
    p99: float
    app_cpu: float
    database_cpu: float
    steal: float


def measure(
    targets: Sequence[Target],
    database_url: str,
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
) -> dict[str, Round]:
    """The median of each figure by the target's name; the targets take turns, round by round.

    The servers have the first processor, the database, Redis and the load all others.
    """
    database = asyncio.run(_postmaster(database_url))
    _separate(targets, database)
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    with TemporaryDirectory() as folder:
        scripts = {
            one.name: _script(Path(folder) / f"{at}.lua", one.requests)
            for at, one in enumerate(targets)
        }
        for target in targets:
            _run(target, scripts[target.name], database, _WARM_UP)
        for number in range(rounds):
            for target in targets:
                one = _quiet_round(target, scripts[target.name], database, seconds)
                say(f"{target.name} {number + 1}/{rounds}: {one.requests_per_second:,.0f}/s")
                found[target.name].append(one)
    return {name: _median(ones) for name, ones in found.items()}


def _quiet_round(target: Target, script: Path, database: int, seconds: int) -> Round:
    """A round in which the machine was ours; the quietest of several where it never is."""
    tried: list[Round] = []
    for _ in range(_MOST_REPEATS):
        tried.append(_run(target, script, database, seconds))
        if tried[-1].steal <= MOST_STEAL:
            break
    return min(tried, key=lambda one: one.steal)


def _run(target: Target, script: Path, database: int, seconds: int) -> Round:
    app, engine = family_of(target.server.pid), family_of(database)
    app_before, engine_before, steal = cpu_of(app), cpu_of(engine), Steal.begin()
    said = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{_CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout=10s",
            "-s",
            str(script),
            f"http://127.0.0.1:{target.server.port}",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    counted = json.loads(said.splitlines()[-1])
    if counted["failed"] or not counted["requests"]:
        sys.exit(f"{target.name}: {counted['failed']} of {counted['requests']} requests failed.")
    requests = counted["requests"]
    return Round(
        requests_per_second=requests * 1_000_000 / counted["microseconds"],
        p50=counted["p50"] / 1000,
        p99=counted["p99"] / 1000,
        app_cpu=(cpu_of(family_of(target.server.pid)) - app_before) / requests,
        database_cpu=(cpu_of(family_of(database)) - engine_before) / requests,
        steal=steal.percent(),
    )


def _separate(targets: Sequence[Target], database: int) -> None:
    first, *others = sorted(os.sched_getaffinity(0))
    for target in targets:
        pin(family_of(target.server.pid), first)
    if others:
        pin(family_of(database), others[0])
        pin([os.getpid()], others[0])  # and so wrk


def _script(path: Path, requests: Sequence[Request]) -> Path:
    """What makes wrk send the requests in turn, and say in one line of JSON what came of them."""
    path.write_text(_LUA % "\n".join(_lua(one) for one in requests))
    return path


def _lua(request: Request) -> str:
    """The request as wrk wants it; JSON's texts in ASCII are Lua's too."""
    headers = ", ".join(
        f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()
    )
    body = json.dumps(request.body) if request.body else "nil"
    method, path = json.dumps(request.method), json.dumps(request.path)
    return f"    wrk.format({method}, {path}, {{{headers}}}, {body}),"


def _median(rounds: Sequence[Round]) -> Round:
    return Round(*map(statistics.median, zip(*map(astuple, rounds), strict=True)))


async def _postmaster(database_url: str) -> int:
    """The process that all of the database's processes descend from; it is on this machine."""
    connection = await connect(database_url)
    backend = await connection.fetchval("SELECT pg_backend_pid()")
    parent = parent_of(backend)
    await connection.close()
    return parent


def has_wrk() -> bool:
    """Whether the load can be made here."""
    return shutil.which("wrk") is not None


_LUA = """
local requests
local at = 0
function init(arguments)
  requests = {
%s
  }
end
function request()
  at = at %% #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %%d, "microseconds": %%d, "failed": %%d, "p50": %%d, "p99": %%d}\\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
"""
