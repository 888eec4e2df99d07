"""`python -m tests.hostile.run --requests 200000 --seed 7`: the corpus over every slot, for long.

SIGTERM ends it early, with its report. The exit code is 1 where an answer or what is stored is not
as it must be. `--first` starts at a later number: with `--requests 1`, it repeats one request.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from tests.conftest import configuration, fill_with_noise
from tests.hostile.assault import MAX_SECONDS, Answered, Finding, Request, ask, draw_request, faults
from tests.hostile.conftest import World, populate
from tests.hostile.stored import stored_faults
from tests.hostile.values import all_places
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import administer, drop_database, renamed
from tests.support.limits import UNLIMITED

from dev_tools.engines import temporary_engines
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.db.migrations import migrate

_MAX_FINDINGS = 200
_REPORT_INTERVAL = 1000
_MAX_REQUESTS_PER_CAST = 2000
"""Then members and things are made anew: much of what there was has been deleted by then."""
_SLOWEST = 5
_MAX_REPETITIONS = 4
"""Of a slow request: what is slow each time is slow, whatever else the machine does."""


@dataclass
class Report:
    """What has been sent and answered."""

    findings: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=dict)
    unavailable: Counter[str] = field(default_factory=Counter)
    """The codes of the answers with status 503."""
    slowest: list[tuple[float, float, str]] = field(default_factory=list)
    casts: int = 0
    repeated: int = 0
    """Answers that were slow, and fast when asked again: the machine was busy."""
    _untouched: set[str] = field(default_factory=lambda: set(map(str, all_places())))

    def note(self, request: Request, answered: Answered) -> None:
        answer = answered.response
        self.statuses[answer.status_code] += 1
        operation = f"{request.operation.method} {request.operation.path}"
        self.by_operation.setdefault(operation, Counter())[answer.status_code] += 1
        self._untouched -= set(map(str, request.places))
        if answer.status_code == 503:
            self.unavailable[answer.json().get("code")] += 1
        self.findings += [str(Finding(request, what, answer)) for what in faults(request, answer)]
        timed = (answered.seconds, answered.cpu_seconds, str(request)[:160])
        self.slowest = sorted([*self.slowest, timed], reverse=True)[:_SLOWEST]
        if answered.seconds > MAX_SECONDS:
            took = f"{answered.seconds:.2f} s, {answered.cpu_seconds:.2f} of them CPU"
            self.findings.append(f"{took}: {request}")

    def summary(self) -> Iterator[str]:
        total, places = self.statuses.total(), len(all_places())
        yield f"{total} requests, {places - len(self._untouched)} of {places} slots"
        yield f"{self.casts} times new members; {self.repeated} answers asked again for their time"
        statuses = sorted(self.statuses)
        width = max(map(len, self.by_operation), default=0)
        yield " ".join([" " * width, *(f"{status:>6}" for status in statuses)])
        for operation, counts in sorted(self.by_operation.items()):
            yield " ".join([f"{operation:{width}}", *(f"{counts[one]:>6}" for one in statuses)])
        yield " ".join([f"{'all':{width}}", *(f"{self.statuses[one]:>6}" for one in statuses)])
        yield f"503: {dict(self.unavailable) or 'none'}"
        yield "slowest, in seconds (of them CPU): " + "; ".join(
            f"{seconds:.3f} ({cpu:.3f}) {request}" for seconds, cpu, request in self.slowest
        )
        yield f"{len(self.findings)} findings"
        yield from self.findings[:_MAX_FINDINGS]


class Assault:
    """Sends requests one after the other, for members who are made anew when they are lost."""

    def __init__(self, app: FastAPI, connection: AsyncConnection, seed: int) -> None:
        self.report = Report()
        self._app = app
        self._connection = connection
        self._seed = seed
        self._world: World | None = None
        self._sent = 0

    async def send(self, number: int) -> None:
        """Send the request of this number and judge its answer."""
        world = await self._ready_world()
        request = draw_request(self._seed, number, world)
        answered = await ask(self._app, request)
        for _ in range(_MAX_REPETITIONS):
            if answered.seconds <= MAX_SECONDS:
                break
            self.report.repeated += 1
            again = await ask(self._app, request)
            answered = min(answered, again, key=lambda one: one.seconds)
        self.report.note(request, answered)
        self._sent += 1
        is_over = answered.response.is_success and request.operation.method != "GET"
        if is_over and request.operation.tag in ("auth", "settings", "sessions", "recovery"):
            await self._sign_in_again(world)

    async def close(self) -> None:
        """Close the browsers."""
        if self._world is not None:
            await self._world.ada.http.aclose()

    async def _ready_world(self) -> World:
        if self._world is None or self._sent >= _MAX_REQUESTS_PER_CAST:
            await self.close()
            self._world = await self._make_world()
            self._sent = 0
        return self._world

    async def _make_world(self) -> World:
        self.report.casts += 1
        mark = uuid4().hex[:8]
        names = [f"{name}_{mark}" for name in ("ada", "grace", "linus")]
        cast = await populate(self._connection, names, new_id())
        await self._connection.commit()
        ada = Browser(self._app)
        ada.id, ada.username = cast.ada, names[0]
        if (answer := await ada.log_in(names[0])).status_code != 200:
            raise AssertionError(answer.text)
        return World(ada, ada, cast, self._connection)

    async def _sign_in_again(self, world: World) -> None:
        """After a change of the account or of its sessions; a member who cannot is given up."""
        world.ada.http.cookies.clear()
        world.ada.csrf_token = None
        if (await world.ada.log_in(world.ada.username)).status_code != 200:
            self._sent = _MAX_REQUESTS_PER_CAST


async def run_assault(config: Config, numbers: Sequence[int], seed: int) -> Report:
    """Send the requests of these numbers to an application of this configuration."""
    engine = create_async_engine(config.database_url, poolclass=NullPool)
    async with running_app(config) as app, engine.connect() as connection:
        app.state.services.events.end_streams()  # a stream says what it has to say, and is over
        assault, started = Assault(app, connection, seed), time.monotonic()
        is_stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, is_stopped.set)
        for done, number in enumerate(numbers, 1):
            if is_stopped.is_set():
                break
            await assault.send(number)
            if done % _REPORT_INTERVAL == 0:
                rate = done / (time.monotonic() - started)
                found = len(assault.report.findings)
                print(f"{done} requests, {rate:.0f}/s, {found} findings", file=sys.stderr)
        await assault.close()
        faulty = [fault async for fault in stored_faults(config, connection)]
        assault.report.findings += faulty
    await engine.dispose()
    return assault.report


def hostile_config(database_url: str, redis_url: str) -> Config:
    """Without limits, and with time for a busy machine."""
    patient = {
        "request_deadline": 60.0,
        "database_connect_timeout": 60.0,
        "database_statement_timeout": 30.0,
        "database_lock_timeout": 30.0,
        "database_idle_timeout": 60.0,
        "redis_timeout": 30.0,
        "redis_connect_timeout": 30.0,
    }
    changes = UNLIMITED | patient | {"access_token_lifetime": 86_400, "log_level": "error"}
    return configuration(database_url, redis_url).model_copy(update=changes)


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[str]:
    """A migrated database of our own, with other people's rows in it."""
    name = f"wxc_hostile_{uuid4().hex[:12]}"
    await administer(server, f'CREATE DATABASE "{name}"')
    try:
        url = renamed(server, name)
        os.environ["DATABASE_DIRECT_URL"] = url
        await asyncio.to_thread(migrate)
        await fill_with_noise(url)
        yield url
    finally:
        await drop_database(server, name)


async def _run(options: argparse.Namespace) -> Report:
    with temporary_engines() as engines:
        async with _database(engines.database_url) as url:
            numbers = range(options.first, options.first + options.requests)
            config = hostile_config(url, engines.redis_url)
            return await run_assault(config, numbers, options.seed)


def main(arguments: Sequence[str]) -> int:
    """Run the assault and print its report."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.run", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="the number of the first request")
    os.environ["PUBLISHED_HOST"] = "127.0.0.1"  # the secrets of the application under test are weak
    report = asyncio.run(_run(parser.parse_args(arguments)))
    print("\n".join(report.summary()))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
