"""`python -m tests.hostile.run --requests 200000 --seed 7`: hostile values in every slot.

Prints a report, also after SIGTERM. The exit code is 1 if an answer or the database has a fault.
`--first NUMBER --requests 1` repeats one request.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from tests.conftest import configuration, template_database
from tests.hostile.conftest import World, populate
from tests.hostile.fuzzing import (
    MAX_SECONDS,
    Finding,
    Request,
    TimedAnswer,
    draw_request,
    faults,
    send,
)
from tests.hostile.stored import stored_faults
from tests.hostile.values import all_places
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import renamed
from tests.support.limits import UNLIMITED

from dev_tools.engines import temporary_engines
from wxc.core.config import Config
from wxc.core.ids import new_id

_MAX_FINDINGS = 200
_REPORT_INTERVAL = 1000
_MAX_REQUESTS_PER_POPULATION = 2000
"""Then new rows are inserted, since the requests have deleted many."""
_SLOWEST = 5
_MAX_REPETITIONS = 4
"""Of a slow request, which is a finding only if it is slow each time: the machine may be busy."""


@dataclass
class Report:
    """Statistics and findings of a run."""

    findings: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=dict)
    unavailable: Counter[str] = field(default_factory=Counter)
    """The codes of the answers with status 503."""
    slowest: list[tuple[float, float, str]] = field(default_factory=list)
    populations: int = 0
    repeated: int = 0
    """Repetitions of slow requests."""
    _untouched: set[str] = field(default_factory=lambda: set(map(str, all_places())))

    def note(self, request: Request, timed: TimedAnswer) -> None:
        answer = timed.response
        self.statuses[answer.status_code] += 1
        operation = f"{request.operation.method} {request.operation.path}"
        self.by_operation.setdefault(operation, Counter())[answer.status_code] += 1
        self._untouched -= set(map(str, request.places))
        if answer.status_code == 503:
            self.unavailable[answer.json().get("code")] += 1
        self.findings += [str(Finding(request, fault, answer)) for fault in faults(request, answer)]
        cost = (timed.seconds, timed.cpu_seconds, str(request)[:160])
        self.slowest = sorted([*self.slowest, cost], reverse=True)[:_SLOWEST]
        if timed.seconds > MAX_SECONDS:
            took = f"{timed.seconds:.2f} s, of which {timed.cpu_seconds:.2f} s CPU"
            self.findings.append(f"{took}: {request}")

    def summary(self) -> Iterator[str]:
        total, places = self.statuses.total(), len(all_places())
        yield f"{total} requests, {places - len(self._untouched)} of {places} slots"
        yield f"{self.populations} populations; {self.repeated} repetitions of slow requests"
        statuses = sorted(self.statuses)
        width = max(map(len, self.by_operation), default=0)
        yield _row(" " * width, statuses)
        for operation, counts in sorted(self.by_operation.items()):
            yield _row(f"{operation:{width}}", [counts[status] for status in statuses])
        yield _row(f"{'all':{width}}", [self.statuses[status] for status in statuses])
        yield f"503: {dict(self.unavailable) or 'none'}"
        yield "slowest, in seconds (CPU): " + "; ".join(
            f"{seconds:.3f} ({cpu:.3f}) {request}" for seconds, cpu, request in self.slowest
        )
        yield f"{len(self.findings)} findings"
        yield from self.findings[:_MAX_FINDINGS]


def _row(name: str, numbers: Sequence[int]) -> str:
    return " ".join([name, *(f"{number:>6}" for number in numbers)])


class Fuzzer:
    """Sends requests one after the other; replaces members who can no longer log in."""

    def __init__(self, app: FastAPI, connection: AsyncConnection, seed: int) -> None:
        self.report = Report()
        self._app = app
        self._connection = connection
        self._seed = seed
        self._world: World | None = None
        self._sent = 0

    async def send(self, number: int) -> None:
        """Send the request with this number and check its answer."""
        world = await self._ready_world()
        request = draw_request(self._seed, number, world)
        timed = await send(self._app, request)
        for _ in range(_MAX_REPETITIONS):
            if timed.seconds <= MAX_SECONDS:
                break
            self.report.repeated += 1
            again = await send(self._app, request)
            timed = min(timed, again, key=lambda each: each.seconds)
        self.report.note(request, timed)
        self._sent += 1
        is_change = timed.response.is_success and request.operation.method != "GET"
        if is_change and request.operation.tag in ("auth", "settings", "sessions", "recovery"):
            await self._log_in_again(world)

    async def close(self) -> None:
        """Close the browsers."""
        if self._world is not None:
            await self._world.ada.http.aclose()

    async def _ready_world(self) -> World:
        if self._world is None or self._sent >= _MAX_REQUESTS_PER_POPULATION:
            await self.close()
            self._world = await self._make_world()
            self._sent = 0
        return self._world

    async def _make_world(self) -> World:
        self.report.populations += 1
        suffix = uuid4().hex[:8]
        names = [f"{name}_{suffix}" for name in ("ada", "grace", "linus")]
        population = await populate(self._connection, names, new_id())
        await self._connection.commit()
        ada = Browser(self._app)
        ada.id, ada.username = population.ada, names[0]
        if (answer := await ada.log_in(names[0])).status_code != 200:
            raise AssertionError(answer.text)
        return World(ada, ada, population, self._connection)

    async def _log_in_again(self, world: World) -> None:
        """After a change of the account or its sessions; replaces a member who cannot log in."""
        world.ada.http.cookies.clear()
        world.ada.csrf_token = None
        if (await world.ada.log_in(world.ada.username)).status_code != 200:
            self._sent = _MAX_REQUESTS_PER_POPULATION


async def run_fuzzer(config: Config, numbers: Sequence[int], seed: int) -> Report:
    """Send the requests with these numbers to an application with this configuration."""
    engine = create_async_engine(config.database_url, poolclass=NullPool)
    async with running_app(config) as app, engine.connect() as connection:
        app.state.services.events.end_streams()  # so that a stream ends after its first events
        fuzzer, started = Fuzzer(app, connection, seed), time.monotonic()
        is_stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_stopped.set)
        for done, number in enumerate(numbers, 1):
            if is_stopped.is_set():
                break
            await fuzzer.send(number)
            if done % _REPORT_INTERVAL == 0:
                rate = done / (time.monotonic() - started)
                found = len(fuzzer.report.findings)
                print(f"{done} requests, {rate:.0f}/s, {found} findings", file=sys.stderr)
        await fuzzer.close()
        faulty = [fault async for fault in stored_faults(config, connection)]
        fuzzer.report.findings += faulty
    await engine.dispose()
    return fuzzer.report


def hostile_config(database_url: str, redis_url: str) -> Config:
    """Without rate limits, and with time-outs for a busy machine."""
    timeouts = {
        "request_deadline": 60.0,
        "database_connect_timeout": 60.0,
        "database_statement_timeout": 30.0,
        "database_lock_timeout": 30.0,
        "database_idle_timeout": 60.0,
        "redis_timeout": 30.0,
        "redis_connect_timeout": 30.0,
    }
    changes = UNLIMITED | timeouts | {"access_token_lifetime": 86_400, "log_level": "error"}
    return configuration(database_url, redis_url).model_copy(update=changes)


def main(arguments: Sequence[str]) -> int:
    """Send the requests and print the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.run", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="the number of the first request")
    os.environ["PUBLISHED_HOST"] = "127.0.0.1"  # the application under test has weak secrets
    options = parser.parse_args(arguments)
    numbers = range(options.first, options.first + options.requests)
    name = f"wxc_hostile_{uuid4().hex[:12]}"
    with (
        temporary_engines() as engines,
        template_database(engines.database_url, name),
    ):
        url = renamed(os.environ["WXC_TEST_SERVICE_URL"], name)
        report = asyncio.run(
            run_fuzzer(hostile_config(url, engines.redis_url), numbers, options.seed)
        )
    print("\n".join(report.summary()))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
