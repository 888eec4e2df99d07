"""A member amid data of their own, ready to send anything; and a server on a real socket."""

import itertools
from collections.abc import Iterator, Mapping
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests import factories
from tests.browser import Browser
from tests.conftest import Member
from tests.hostile.corpus import Operation
from tests.hostile.refusals import snapshot
from tests.hostile.server import Server, serving
from tests.unlimited import UNLIMITED

from wxc.core.config import Config
from wxc.core.ids import new_id

_JSON = {"Content-Type": "application/json"}


class World:
    """Ada, signed in; Grace and Linus, all following one another; a stranger; posts and edges."""

    def __init__(
        self, ada: Browser, stranger: Browser, post_id: UUID, connection: AsyncConnection
    ) -> None:
        self.ada = ada
        self.stranger = stranger
        self._named = {"username": "grace", "post_id": str(post_id)}
        self._connection = connection

    def address(self, operation: Operation, given: Mapping[str, str] | None = None) -> str:
        """The operation's path; what is not given is what Ada might have in her browser."""
        path = operation.path
        for slot in operation.parameters("path"):
            name = str(slot.path[0])
            path = path.replace(f"{{{name}}}", (given or {}).get(name) or self._value(name))
        return path

    def whole_address(
        self, operation: Operation, given: Mapping[str, str] | None = None, query: str = ""
    ) -> str:
        """The path with the query, and in this what the operation cannot do without."""
        missing = [f"{name}={value}" for name, value in operation.needed if f"{name}=" not in query]
        more = ("&" if query else "?") + "&".join(missing) if missing else ""
        return self.address(operation, given) + query + more

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
        """The operation as Ada would send it, with what is given in place of what is right."""
        if content is None:
            content = operation.valid_body()
        if headers is None:
            headers = {} if content is None else _JSON
        return await (browser or self.ada).request(
            operation.method,
            self.whole_address(operation, path, query),
            content=content,
            headers=headers,
        )

    async def state(self) -> dict[str, tuple[int, str]]:
        """All that is stored."""
        return await snapshot(self._connection)

    def _value(self, name: str) -> str:
        return self._named.get(name) or str(new_id())


@pytest.fixture
def config(config: Config) -> Config:
    """All that is tried here comes from one address."""
    return config.model_copy(update=UNLIMITED)


@pytest.fixture
async def world(
    app: FastAPI, member: Member, stranger: Browser, connection: AsyncConnection
) -> World:
    app.state.events.end()  # a stream says what it has to say, and is over
    ada = await member("ada")
    assert ada.id is not None
    grace = await factories.make_user(connection, "grace")
    linus = await factories.make_user(connection, "linus")
    people = (ada.id, grace, linus)
    for follower, followed in itertools.permutations(people, 2):
        await factories.make_follow(connection, follower, followed)
    posts = [await factories.make_post(connection, ada.id) for _ in range(2)]
    for _ in range(2):
        await factories.make_post(connection, grace)
    for _ in range(2):
        loud = await factories.make_user(connection)
        await factories.make_block(connection, ada.id, loud)
        await factories.make_mute(connection, ada.id, loud)
        await factories.make_notification(connection, ada.id, grace)
    for owner in people:
        lines = [{"currency": code, "we_buy": Decimal(1)} for code in ("JPY", "USD")]
        await factories.make_exchange(connection, owner, lines, place=(1.28, 103.85))
    return World(ada, stranger, posts[0], connection)


@pytest.fixture(scope="session")
def server(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application as it is served, for what only a real socket shows."""
    with serving(redis_url, tmp_path_factory.mktemp("server") / "log") as running:
        yield running
