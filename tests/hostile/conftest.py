"""A signed-in member with data, whose requests can be hostile; and a server on a real socket."""

import itertools
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from tests.conftest import configuration
from tests.hostile.corpus import Operation
from tests.hostile.refusals import snapshot
from tests.hostile.server import Server, serving
from tests.hostile.watchdog import LoopWatchdog
from tests.support import factories
from tests.support.browser import Browser
from tests.support.database import SingleConnectionDatabase, clone_database, drop_database
from tests.support.limits import UNLIMITED
from tests.support.secrecy import secrecy

from wxc.app import connect, create_app
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.core.redis import RedisClient
from wxc.social.comments.schemas import CommentCreate

_JSON = {"Content-Type": "application/json"}


class World:
    """Ada, signed in; Grace and Linus, all following each other; a stranger; posts with threads.

    `others` has another valid value for each path and query parameter that names a resource.
    """

    def __init__(
        self,
        ada: Browser,
        stranger: Browser,
        population: "Population",
        connection: AsyncConnection,
    ) -> None:
        self.ada = ada
        self.stranger = stranger
        self.named, self.others = (
            {"username": name, "q": name, "post_id": str(post_id), "comment_id": str(comment_id)}
            for name, post_id, comment_id in zip(
                population.names[1:], population.posts, population.comments, strict=True
            )
        )
        self._connection = connection

    def address(
        self, operation: Operation, given: Mapping[str, str] | None = None, query: str = ""
    ) -> str:
        """The path and the query with all required parameters; the default values are valid."""
        path = operation.path
        for slot in operation.parameters("path"):
            name = str(slot.path[0])
            path = path.replace(f"{{{name}}}", (given or {}).get(name) or self._value(name))
        for name, example in operation.needed.items():
            if not re.search(rf"[?&]{name}(=|&|$)", query):
                value = (given or {}).get(name) or example or self._value(name)
                query += f"{'&' if query else '?'}{name}={value}"
        return path + query

    async def send(
        self,
        operation: Operation,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: str = "",
        browser: Browser | None = None,
        path: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send the operation as Ada, with valid defaults for the parts that are not given."""
        if content is None:
            content = operation.valid_body()
        if headers is None:
            headers = {} if content is None else _JSON
        return await (browser or self.ada).request(
            operation.method,
            self.address(operation, path, query),
            content=content,
            headers=headers,
        )

    async def state(self) -> dict[str, tuple[int, str]]:
        """The content of the database."""
        return await snapshot(self._connection)

    def _value(self, name: str) -> str:
        return self.named.get(name) or str(new_id())


@pytest.fixture
def config(config: Config) -> Config:
    """No rate limits, since one address sends all requests of these tests."""
    return _unlimited(config)


@pytest.fixture(autouse=True)
def watchdog(request: pytest.FixtureRequest) -> Iterator[LoopWatchdog | None]:
    """No request of a test in this folder may block the event loop."""
    if "app" not in request.fixturenames:
        yield None
        return
    app: FastAPI = request.getfixturevalue("app")
    if not isinstance(app.middleware_stack, LoopWatchdog):
        app.middleware_stack = LoopWatchdog(app.build_middleware_stack())
    app.middleware_stack.slow.clear()
    yield app.middleware_stack
    assert app.middleware_stack.slow == []


def _unlimited(config: Config) -> Config:
    """Without rate limits, and with access tokens that outlive the run: Ada logs in once."""
    return config.model_copy(update=UNLIMITED | {"access_token_lifetime": 86_400})


@dataclass(frozen=True)
class Population:
    """Three members who follow each other, with their posts and comments."""

    ada: UUID
    names: Sequence[str]
    posts: Sequence[UUID]
    comments: Sequence[UUID]


@dataclass(frozen=True)
class Rows:
    """Ids and session in the database of these tests, created once for each worker."""

    population: Population
    cookies: httpx.Cookies
    csrf_token: str | None


@pytest.fixture(scope="session")
async def database_url(worker_id: str) -> AsyncIterator[str]:
    """A separate database with the rows of `World`."""
    server, template = os.environ["WXC_TEST_DATABASE_URL"], os.environ["WXC_TEST_TEMPLATE"]
    name = f"{template}_hostile_{worker_id}"
    yield await clone_database(server, template, name)
    await drop_database(server, name)


@pytest.fixture(scope="session")
async def rows(database_url: str, redis_url: str) -> Rows:
    """Fill the database; Ada logs in here, before the tests."""
    config = _unlimited(configuration(database_url, redis_url))
    engine, redis = create_async_engine(database_url, poolclass=NullPool), RedisClient(config)
    app = create_app(config)
    async with engine.begin() as connection:
        population = await populate(connection)
        connect(app, SingleConnectionDatabase(connection), redis)
        async with Browser(app) as browser:
            assert (await browser.log_in("ada")).status_code == 200
    app.state.services.auth.passwords.close()
    await redis.close()
    await engine.dispose()
    return Rows(population, browser.http.cookies, browser.csrf_token)


@pytest.fixture(scope="session")
async def engine(database_url: str, rows: Rows) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url, pool_size=1, max_overflow=0)
    yield engine
    await engine.dispose()


@pytest.fixture
async def world(
    app: FastAPI, rows: Rows, stranger: Browser, connection: AsyncConnection
) -> AsyncIterator[World]:
    app.state.services.events.end_streams()  # so that a stream ends after its first events
    async with Browser(app) as ada:
        ada.id, ada.username, ada.csrf_token = rows.population.ada, "ada", rows.csrf_token
        ada.http.cookies.update(rows.cookies)
        secrecy.protect(*rows.cookies.values())
        yield World(ada, stranger, rows.population, connection)


async def populate(
    connection: AsyncConnection,
    names: Sequence[str] = ("ada", "grace", "linus"),
    comment_id: UUID | None = None,
) -> Population:
    """Insert members and their content; by default, the first comment has the id of the example."""
    people = [await factories.make_user(connection, name) for name in names]
    ada, grace, _ = people
    for follower, followed in itertools.permutations(people, 2):
        await factories.make_follow(connection, follower, followed)
    posts = [await factories.make_post(connection, ada) for _ in range(2)]
    for _ in range(2):
        await factories.make_post(connection, grace)
    for _ in range(2):
        other = await factories.make_user(connection)
        await factories.make_block(connection, ada, other)
        await factories.make_mute(connection, ada, other)
        await factories.make_notification(connection, ada, grace)
    for owner in people:
        lines = [{"currency": code, "we_buy": Decimal(1)} for code in ("JPY", "USD")]
        await factories.make_exchange(connection, owner, lines, place=(1.28, 103.85))
    (example,) = CommentCreate.model_json_schema()["examples"]
    comments = [
        await factories.make_comment(connection, ada, posts[0], id=each)
        for each in (comment_id or UUID(example["parent_id"]), new_id())
    ]
    for person in people:
        await factories.make_like(connection, person, posts[0])
        await factories.make_comment(connection, person, posts[0], comments[0])
    return Population(ada, names, posts, comments)


@pytest.fixture(scope="session")
def server(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process, for tests that need a real socket."""
    with serving(redis_url, tmp_path_factory.mktemp("server") / "log") as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure coverage in every 16th test only: the others run the same code, twice as fast."""
    here = Path(__file__).parent
    own_items = (item for item in items if here in item.path.parents)
    for number, item in enumerate(own_items):
        if number % 16:
            item.add_marker("unmeasured")
