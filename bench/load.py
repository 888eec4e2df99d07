"""Servers under load: requests per second, latency, and CPU time of server and database."""

import asyncio
import os
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

from redis import Redis

from bench import wrk
from bench.data import connect
from bench.machine import Steal, cpu_microseconds, parent_pid, pin, process_tree, processors
from bench.server import Server
from bench.wrk import Request, WrkResult

MAX_STEAL_PERCENT = 4.0  # a round with more is repeated
CONNECTIONS = 32
_MAX_ATTEMPTS = 3  # for each round
_WARM_UP_SECONDS = 2
_SINGLE_CONNECTION_SECONDS = 1  # after each round


class HasSteal(Protocol):
    """A round with the CPU time that the host withheld."""

    @property
    def steal(self) -> float:
        """In percent of the time of all processors."""


RoundT = TypeVar("RoundT", bound=HasSteal)


@dataclass(frozen=True)
class LoadTest:
    """A server and the requests to send to it."""

    name: str
    server: Server
    requests: Sequence[Request]
    """Sent in order; each round continues where the previous one ended."""


@dataclass(frozen=True)
class Round:
    """Measurements of one round; latencies in ms, CPU time in µs per request, steal in percent."""

    requests_per_second: float
    p50: float
    p99: float
    p50_alone: float
    """With a single connection, measured after the round."""
    app_cpu: float
    database_cpu: float
    steal: float


@dataclass
class Findings:
    """The results of a bench: median rounds by the name of the test, and figures by name."""

    rounds: dict[str, Round] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Findings") -> None:
        self.rounds |= other.rounds
        self.figures |= other.figures


def measure(
    tests: Sequence[LoadTest], database_url: str, rounds: int, seconds: int
) -> dict[str, Round]:
    """The median of each figure by the test's name; the tests take turns, round by round."""
    database = postmaster(database_url)
    measured: dict[str, list[Round]] = {test.name: [] for test in tests}
    servers = [test.server.pid for test in tests]
    with TemporaryDirectory() as folder, pinned_apart(servers, database):
        runs = {
            test.name: _Run(test, deque(test.requests), database, Path(folder)) for test in tests
        }
        for run in runs.values():
            run.once(_WARM_UP_SECONDS)
        for number in range(rounds):
            for name, run in runs.items():
                result = quietest_round(partial(run.once, seconds))
                log_progress(f"{name} {number + 1}/{rounds}: {result.requests_per_second:,.0f}/s")
                measured[name].append(result)
    return {name: _median(results) for name, results in measured.items()}


def quietest_round(run: Callable[[], RoundT]) -> RoundT:
    """A round without steal; the quietest of several if all have some."""
    attempts: list[RoundT] = []
    for _ in range(_MAX_ATTEMPTS):
        attempts.append(run())
        if attempts[-1].steal <= MAX_STEAL_PERCENT:
            break
    return min(attempts, key=lambda attempt: attempt.steal)


@contextmanager
def pinned_apart(servers: Sequence[int], database: int) -> Iterator[None]:
    """Pin servers to the first processor, and database, Redis and load generator to the others."""
    first, *others = processors()
    engines = process_tree(database) | {_redis(), os.getpid()}  # wrk inherits ours
    apps = set().union(*map(process_tree, servers))
    if others:
        pin(apps, [first])
        pin(engines, others)
    try:
        yield
    finally:
        pin(apps | engines | process_tree(database), processors())


def postmaster(database_url: str) -> int:
    """The parent of all processes of the database, which runs on this machine."""

    async def read() -> int:
        connection = await connect(database_url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        parent = parent_pid(backend)
        await connection.close()
        return parent

    return asyncio.run(read())


def log_progress(line: str) -> None:
    print(line, file=sys.stderr)


def _redis() -> int:
    """The process of Redis, which runs on this machine."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        return int(redis.info("server")["process_id"])


@dataclass(frozen=True)
class _Run:
    test: LoadTest
    requests: deque[Request]
    database: int
    folder: Path

    def once(self, seconds: int) -> Round:
        """A round of that many seconds, and a shorter one with a single connection."""
        app, engine = self.test.server.pid, self.database
        steal = Steal.sample()
        app_cpu, engine_cpu = _tree_cpu(app), _tree_cpu(engine)
        loaded = self._send(CONNECTIONS, seconds)
        app_cpu, engine_cpu = _tree_cpu(app) - app_cpu, _tree_cpu(engine) - engine_cpu
        alone = self._send(1, _SINGLE_CONNECTION_SECONDS)
        return Round(
            requests_per_second=loaded.requests / loaded.seconds,
            p50=loaded.p50,
            p99=loaded.p99,
            p50_alone=alone.p50,
            app_cpu=app_cpu / loaded.requests,
            database_cpu=engine_cpu / loaded.requests,
            steal=steal.percent(),
        )

    def _send(self, connections: int, seconds: int) -> WrkResult:
        script = wrk.write_script(self.folder / "requests.lua", self.requests)
        result = wrk.run(script, self.test.server.port, connections, seconds)
        if result.failed or not result.requests:
            name, failed = self.test.name, result.failed
            sys.exit(f"{name}: {failed} of {result.requests} requests failed.")
        self.requests.rotate(-result.requests)
        return result


def _tree_cpu(pid: int) -> float:
    return cpu_microseconds(process_tree(pid))


def _median(rounds: Sequence[Round]) -> Round:
    return Round(*map(statistics.median, zip(*map(astuple, rounds), strict=True)))
