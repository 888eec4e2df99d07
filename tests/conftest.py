"""Fixtures: real engines, a migrated database, and browsers that use the application.

Each run migrates one template database and fills it with `noise`, rows of other users that exist
in every test, so that a forgotten WHERE fails. Each worker clones the template once, and each test
runs in a transaction that is rolled back. Tests that need real commits or several connections use
`fresh_database_url`, a separate clone.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dev_tools.engines import temporary_engines
from tests.support import factories
from tests.support.browser import Browser
from tests.support.database import (
    SingleConnectionDatabase,
    administer,
    clone_database,
    drop_database,
    drop_databases,
    owner_url,
    renamed,
)
from tests.support.secrecy import install_leak_detector, secrecy
from wxc.app import connect, create_app
from wxc.core.config import Config
from wxc.core.logging import configure_logging
from wxc.core.redis import RedisClient
from wxc.db.migrations import migrate

_DATABASE, _REDIS, _TEMPLATE = "WXC_TEST_DATABASE_URL", "WXC_TEST_REDIS_URL", "WXC_TEST_TEMPLATE"
_SERVICE = "WXC_TEST_SERVICE_URL"
_GIVEN_TEMPLATE = "WXC_TEST_GIVEN_TEMPLATE"
_run = ExitStack()

Member = Callable[[str], Awaitable[Browser]]
_TRACER = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", action="store_true", help="also run slow tests and tests that kill engines"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the engines and create the template, once per run, before the workers start."""
    config.addinivalue_line("markers", "faults: slow or kills engines; needs --faults")
    config.addinivalue_line(
        "markers", "unmeasured: runs without coverage; other tests cover the same code"
    )
    # The applications under test have weak secrets, which are accepted on loopback only.
    os.environ["PUBLISHED_HOST"] = "127.0.0.1"
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if _DATABASE not in os.environ:
        engines = _run.enter_context(temporary_engines())
        os.environ |= {_DATABASE: engines.database_url, _REDIS: engines.redis_url}
    if given := os.environ.get(_GIVEN_TEMPLATE):  # by tests/mutation, for all of its mutants
        os.environ[_TEMPLATE] = given
        return
    name = f"wxc_test_{uuid4().hex[:12]}"
    _run.enter_context(template_database(os.environ[_DATABASE], name))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _run.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect (not skip) slow tests without `--faults`."""
    if config.getoption("--faults"):
        return
    slow = [item for item in items if item.get_closest_marker("faults")]
    items[:] = [item for item in items if item not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Disable coverage's tracer: it sees every line of every library and triples the time."""
    session.stash[_TRACER] = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(session.stash[_TRACER])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Enable it while a test runs, without its fixtures, whose code other tests cover.

    pytest-cov's own `no_cover` has no effect in the workers of xdist: two collectors are stacked
    there, and when one stops the other continues.
    """
    if not item.get_closest_marker("unmeasured"):
        sys.settrace(item.session.stash[_TRACER])
    try:
        return (yield)
    finally:
        sys.settrace(None)


@contextmanager
def template_database(server: str, name: str) -> Iterator[None]:
    """A database to clone and the role of the service; the environment variables name them."""
    service = make_url(server).set(username=f"{name}_service", password=uuid4().hex)
    os.environ |= {
        _DATABASE: server,
        _TEMPLATE: name,
        _SERVICE: service.render_as_string(hide_password=False),
    }
    try:
        make_template(server, name)
        yield
    finally:
        drop_template(server, name)


def make_template(server: str, name: str) -> None:
    """Create the role of the service and the database, migrate it and fill it with noise.

    The migrations grant the role its rights.
    """
    role = make_url(os.environ[_SERVICE])
    create_role = f"CREATE ROLE \"{role.username}\" LOGIN PASSWORD '{role.password}'"
    asyncio.run(administer(server, create_role, f'CREATE DATABASE "{name}"'))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_OWNER_URL", renamed(server, name))
        environment.setenv("DATABASE_URL", renamed(os.environ[_SERVICE], name))
        migrate()
    asyncio.run(fill_with_noise(renamed(server, name)))


def drop_template(server: str, name: str) -> None:
    """Drop the database, the clones that a killed process has left, and the role."""
    role = make_url(os.environ[_SERVICE]).username
    asyncio.run(drop_databases(server, name))
    asyncio.run(administer(server, f'DROP ROLE IF EXISTS "{role}"'))


async def fill_with_noise(url: str) -> None:
    """Insert the noise into a migrated database."""
    engine = create_async_engine(owner_url(url), poolclass=NullPool)
    async with engine.begin() as connection:
        await factories.make_noise(connection)
    await engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def _leak_detector() -> Iterator[None]:
    """Inspect the records of every logger in every test."""
    with pytest.MonkeyPatch.context() as patch:
        install_leak_detector(patch)
        yield
    logging.getLogger().setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(_leak_detector: None) -> Iterator[None]:
    """Fail a test that logs a secret; set up first and torn down last."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    yield
    for handler in list(root.handlers):
        # The handler of an application; its stream is closed after the test.
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    secrecy.verify()


@pytest.fixture(scope="session")
async def database_url(worker_id: str) -> AsyncIterator[str]:
    """The database of this worker."""
    server, template = os.environ[_DATABASE], os.environ[_TEMPLATE]
    name = f"{template}_{worker_id}"
    yield await clone_database(server, template, name)
    await drop_database(server, name)


@pytest.fixture
async def fresh_database_url() -> AsyncIterator[str]:
    """A separate database for one test, with real commits."""
    server, template = os.environ[_DATABASE], os.environ[_TEMPLATE]
    name = f"{template}_{uuid4().hex[:8]}"
    yield await clone_database(server, template, name)
    await drop_database(server, name)


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(owner_url(database_url), pool_size=1, max_overflow=0)
    yield engine
    await engine.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """The only connection of the test; its transaction is rolled back at the end.

    It has the role of the service, so that a missing grant fails a test.
    """
    async with engine.connect() as connection:
        transaction = await connection.begin()
        role = make_url(os.environ[_SERVICE]).username
        await connection.execute(text(f'SET LOCAL ROLE "{role}"'))
        yield connection
        await transaction.rollback()


@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> str:
    """The numbered Redis database of this worker."""
    number = 1 + (int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0)
    return f"{os.environ[_REDIS].rpartition('/')[0]}/{number}"


@pytest.fixture
def config(database_url: str, redis_url: str) -> Config:
    """The configuration of the application under test, with cheap password hashing."""
    return configuration(database_url, redis_url)


@cache  # reading each setting from the environment takes as long as a request
def configuration(database_url: str, redis_url: str) -> Config:
    return Config(
        environment="development",
        database_url=database_url,
        redis_url=redis_url,
        secret_key="s" * 40,
        jwt_secret_key="j" * 40,
        cookie_secure=False,
        cors_origins=("https://app.example.com",),
        log_level="debug",  # so that the logs of every test are searched for secrets
        redis_timeout=5,  # seconds; Redis may be slow on a busy machine
        limit_posts_per_account="1000 per minute",  # some tests write a lot
        limit_mentions_per_account="1000 per minute",
        password_hash_memory=8,
        password_hash_rounds=1,
    )


@pytest.fixture
async def redis(config: Config) -> AsyncIterator[RedisClient]:
    """An empty Redis."""
    client = RedisClient(config)
    await client.call(lambda redis: redis.flushdb())
    yield client
    await client.close()


@pytest.fixture(scope="session")
def applications() -> dict[Config, FastAPI]:
    """Applications by configuration: the first request of one costs as much as forty others."""
    return {}


@pytest.fixture
async def app(
    config: Config,
    connection: AsyncConnection,
    redis: RedisClient,
    applications: dict[Config, FastAPI],
) -> AsyncIterator[FastAPI]:
    """The started application on the test's only connection, without background tasks."""
    app = applications.get(config) or applications.setdefault(config, create_app(config))
    configure_logging(config)
    connect(app, SingleConnectionDatabase(connection), redis)
    await app.state.services.auth.revocations.poll()
    await app.state.services.startup.wait_for_database(app.state.services.database)
    yield app
    app.state.services.auth.passwords.close()
    await app.state.services.events.close()


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser without a session."""
    async with Browser(app) as browser:
        yield browser


@pytest.fixture
async def member(app: FastAPI, connection: AsyncConnection) -> AsyncIterator[Member]:
    """Creates a member and logs in: `ada = await member("ada")`."""
    async with AsyncExitStack() as browsers:

        async def sign_in(username: str) -> Browser:
            user_id: UUID = await factories.make_user(connection, username)
            browser = await browsers.enter_async_context(Browser(app))
            browser.id = user_id
            browser.username = username
            answer = await browser.log_in(username)
            assert answer.status_code == 200, answer.text
            return browser

        yield sign_in
