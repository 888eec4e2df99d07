"""Servers under load, and what it costs: requests a second, latency, CPU time of each side."""

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
from bench.machine import Steal, cpu_of, family_of, parent_of, pin, processors
from bench.server import Served
from bench.wrk import Counted, Request

MOST_STEAL = 4.0  # percent; a round in which the host took more is repeated
CONNECTIONS = 32
_MOST_REPEATS = 3  # for each round that is wanted
_WARM_UP = 2  # seconds that do not count
_ALONE = 1  # seconds of each round with one connection


class Stolen(Protocol):
    """A round that knows what the host took meanwhile."""

    @property
    def steal(self) -> float:
        """In percent of all processors' time."""


Quiet = TypeVar("Quiet", bound=Stolen)


@dataclass(frozen=True)
class Target:
    """A server under load, and what it is asked."""

    name: str
    server: Served
    requests: Sequence[Request]
    """In turn, over all rounds: each goes on where the one before has ended."""


@dataclass(frozen=True)
class Round:
    """What one round of seconds has shown; latencies in milliseconds, CPU time in microseconds."""

    requests_per_second: float
    p50: float
    p99: float
    p50_alone: float
    """Of one connection, which waits for each answer, in seconds of its own."""
    app_cpu: float
    database_cpu: float
    steal: float


@dataclass
class Findings:
    """What a bench has found: medians by the names of targets, and figures by their own."""

    rounds: dict[str, Round] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Findings") -> None:
        """Take over what another bench has found."""
        self.rounds |= other.rounds
        self.figures |= other.figures


def measure(
    targets: Sequence[Target], database_url: str, rounds: int, seconds: int
) -> dict[str, Round]:
    """The median of each figure by the target's name; the targets take turns, round by round."""
    database = postmaster(database_url)
    found: dict[str, list[Round]] = {target.name: [] for target in targets}
    servers = [target.server.pid for target in targets]
    with TemporaryDirectory() as folder, apart(servers, database):
        runs = {one.name: _Run(one, deque(one.requests), database, Path(folder)) for one in targets}
        for run in runs.values():
            run.once(_WARM_UP)
        for number in range(rounds):
            for name, run in runs.items():
                one = quietest(partial(run.once, seconds))
                say(f"{name} {number + 1}/{rounds}: {one.requests_per_second:,.0f}/s")
                found[name].append(one)
    return {name: _median(ones) for name, ones in found.items()}


def quietest(run: Callable[[], Quiet]) -> Quiet:
    """A round in which the machine was ours; the quietest of several where it never is."""
    tried: list[Quiet] = []
    for _ in range(_MOST_REPEATS):
        tried.append(run())
        if tried[-1].steal <= MOST_STEAL:
            break
    return min(tried, key=lambda one: one.steal)


@contextmanager
def apart(servers: Sequence[int], database: int) -> Iterator[None]:
    """The servers have the first processor, the database, Redis and ourselves all others."""
    first, *others = processors()
    engines = family_of(database) | {_redis(), os.getpid()}  # and so wrk, which we start
    apps = set().union(*map(family_of, servers))
    if others:
        pin(apps, [first])
        pin(engines, others)
    try:
        yield
    finally:
        pin(apps | engines | family_of(database), processors())


def postmaster(database_url: str) -> int:
    """The process that all of the database's processes descend from; it is on this machine."""

    async def ask() -> int:
        connection = await connect(database_url)
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        parent = parent_of(backend)
        await connection.close()
        return parent

    return asyncio.run(ask())


def say(line: str) -> None:
    """Tell whoever waits how far it is."""
    print(line, file=sys.stderr)


def _redis() -> int:
    """The process of Redis; it is on this machine."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        return int(redis.info("server")["process_id"])


@dataclass(frozen=True)
class _Run:
    """The rounds of one target."""

    target: Target
    requests: deque[Request]
    database: int
    folder: Path

    def once(self, seconds: int) -> Round:
        """A round of so many seconds, and one of a single connection."""
        server, steal = self.target.server.pid, Steal.begin()
        app, engine = cpu_of(family_of(server)), cpu_of(family_of(self.database))
        crowd = self._send(CONNECTIONS, seconds)
        app, engine = cpu_of(family_of(server)) - app, cpu_of(family_of(self.database)) - engine
        alone = self._send(1, _ALONE)
        return Round(
            requests_per_second=crowd.requests / crowd.seconds,
            p50=crowd.p50,
            p99=crowd.p99,
            p50_alone=alone.p50,
            app_cpu=app / crowd.requests,
            database_cpu=engine / crowd.requests,
            steal=steal.percent(),
        )

    def _send(self, connections: int, seconds: int) -> Counted:
        script = wrk.script(self.folder / "requests.lua", self.requests)
        counted = wrk.run(script, self.target.server.port, connections, seconds)
        if counted.failed or not counted.requests:
            name, failed = self.target.name, counted.failed
            sys.exit(f"{name}: {failed} of {counted.requests} requests failed.")
        self.requests.rotate(-counted.requests)
        return counted


def _median(rounds: Sequence[Round]) -> Round:
    return Round(*map(statistics.median, zip(*map(astuple, rounds), strict=True)))
