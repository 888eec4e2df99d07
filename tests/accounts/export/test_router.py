"""`GET /settings/export` contains all data of the member and no private data of others."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import insert, update
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.audit_log import latest_audit_event
from tests.support.browser import Browser
from tests.support.database import SingleConnectionDatabase, StatementLog
from tests.support.factories import (
    PASSWORD,
    make_block,
    make_follow,
    make_like,
    make_mute,
    make_post,
    make_user,
)

from wxc.accounts.auth.context import Principal
from wxc.accounts.export.schemas.export import Export
from wxc.accounts.export.service import exporting
from wxc.accounts.export.service.listings import LISTINGS
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db.prepared import PreparedQuery
from wxc.models import Base, Post, User
from wxc.moderation.audit.actors import Actor

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
ACTOR = Actor("client")
NOT_EXPORTED = {
    "audit_events": "security records for investigations of abuse",
    "idempotency_keys": "stored responses to earlier requests",
    "mail_tokens": "credentials",
    "outbox_mails": "mails from us; the account has the addresses",
}


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    """Ada, with posts, likes, follows, blocks and mutes; Bob has data that must not be exported."""
    ada, bob = await member("ada"), await make_user(connection, "bob", bio="Bob's secret")
    own, theirs = await make_post(connection, ada.id, "mine"), await make_post(connection, bob)
    await make_post(connection, bob, "Bob's own words")
    await make_follow(connection, ada.id, bob)
    await make_follow(connection, bob, ada.id)
    await make_like(connection, ada.id, theirs)
    await make_like(connection, bob, own)
    for number in range(2):
        other = await make_user(connection, f"other_{number}")
        await make_block(connection, ada.id, other)
        await make_mute(connection, ada.id, other)
    return ada


async def export(browser: Browser) -> dict[str, Any]:
    answer = await browser.get("/settings/export")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.content)
    return found


async def test_export_is_an_attachment_that_matches_the_declared_schema(ada: Browser) -> None:
    answer = await ada.get("/settings/export")

    TypeAdapter(Export).validate_json(answer.content, extra="forbid")
    assert list(answer.json()) == list(Export.__annotations__)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="wxc-social.json"'
    assert answer.headers["cache-control"] == "no-store"


async def test_export_contains_all_own_data(ada: Browser) -> None:
    await ada.put("/settings/username", json={"username": "Eda", "current_password": PASSWORD})

    found = await export(ada)

    assert found["account"] == (await ada.get("/settings")).json()
    assert [item["name"] for item in found["usernames"]] == ["ada", "eda"]
    assert [item["body"] for item in found["posts"]] == ["mine"]
    assert [item["likes_count"] for item in found["posts"]] == [1]
    assert [len(found[name]) for name in ("sessions", "likes")] == [1, 1]
    people = {
        name: [item["username"] for item in found[name]]
        for name in ("following", "followers", "blocks", "mutes")
    }
    assert people == {
        "following": ["bob"],
        "followers": ["bob"],
        "blocks": ["other_0", "other_1"],
        "mutes": ["other_0", "other_1"],
    }


async def test_export_contains_no_secrets_and_no_data_of_others(ada: Browser) -> None:
    text = (await ada.get("/settings/export")).text

    for secret in ("$argon2", "Bob's", "bob@example.com", "noise", "hash", "generation"):
        assert secret not in text


async def test_export_omits_names_of_invisible_users(
    ada: Browser, connection: AsyncConnection
) -> None:
    suspended = {"suspended_at": clock.now()}
    await connection.execute(update(User).where(User.username == "other_0").values(**suspended))
    eve = await make_user(connection, "eve")
    await make_mute(connection, ada.id, eve)
    await make_block(connection, eve, ada.id)

    found = await export(ada)

    assert [item["username"] for item in found["blocks"]] == [None, "other_1"]
    assert [item["username"] for item in found["mutes"]] == [None, "other_1", None]
    assert str(eve) == found["mutes"][2]["user_id"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
async def test_batches_neither_lose_nor_repeat_rows(
    member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(exporting, "BATCH_SIZE", 2)
    ada = await member("ada")
    posts = [await make_post(connection, ada.id, str(number)) for number in range(count)]
    await ada.get("/auth-check")  # loads the revocations into Redis

    with StatementLog().watching(connection) as log:
        found = await export(ada)

    assert [item["id"] for item in found["posts"]] == [str(post) for post in posts]
    assert len(log.statements) == 2 + len(LISTINGS) + count // 2


async def test_no_connection_is_held_while_a_batch_is_sent(
    ada: Browser, app: FastAPI, connection: AsyncConnection
) -> None:
    class Counting(SingleConnectionDatabase):
        held = 0

        async def run(self, query: PreparedQuery[Row], *, on_primary: bool) -> list[Row]:
            assert on_primary
            self.held += 1
            rows = await super().run(query, on_primary=on_primary)
            self.held -= 1
            return rows

    database = Counting(connection)
    me = Principal(ada.id, new_id(), clock.now())

    chunks = await exporting.open_export(database, me, ACTOR)
    async for chunk in chunks:
        assert chunk
        assert database.held == 0


async def test_export_may_exceed_the_request_timeout(
    ada: Browser, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch, app: FastAPI
) -> None:
    items = exporting._items

    async def slowly(*arguments: Any) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.03)
        async for item in items(*arguments):
            yield item

    monkeypatch.setattr(exporting, "_items", slowly)
    gates = {"ConcurrencyLimit": {"deadline": 0.1}, "StreamLimit": {"patience": 0.1}}
    for middleware in app.user_middleware:
        middleware.kwargs.update(gates.get(getattr(middleware.cls, "__name__", ""), {}))

    assert (await export(ada))["account"]["username"] == "ada"


async def test_export_requires_a_session_of_an_existing_account(
    ada: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    assert (await stranger.get("/settings/export")).json()["code"] == "not_authenticated"

    await connection.exec_driver_sql("DELETE FROM users WHERE username = 'ada'")
    assert (await ada.get("/settings/export")).json()["code"] == "session_expired"


def test_every_table_of_member_data_is_exported_or_listed_as_excluded() -> None:
    statements = [
        listing.batch(new_id(), listing.start, limit=1).compiled.sql
        for listing in LISTINGS.values()
    ]
    exported = {re.findall(r"FROM (\w+)", statement)[0] for statement in statements}
    owned = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "users" for key in table.foreign_keys)
        or "user_id" in table.columns
    }

    assert owned - exported == NOT_EXPORTED.keys()
    assert set(LISTINGS) < set(Export.__annotations__)


async def test_size_of_a_chunk_is_bounded(ada: Browser, connection: AsyncConnection) -> None:
    rows = [{"author_id": ada.id, "body": "x" * 5000} for _ in range(exporting.BATCH_SIZE + 1)]
    await connection.execute(insert(Post), rows)

    chunks = await exporting.open_export(
        SingleConnectionDatabase(connection), Principal(ada.id, new_id(), clock.now()), ACTOR
    )
    sizes = [len(chunk) async for chunk in chunks]

    assert sum(sizes) > exporting.BATCH_SIZE * 5000
    assert max(sizes) < exporting.BATCH_SIZE * 6000


class TestLimits:
    async def test_exports_are_limited(self, ada: Browser, connection: AsyncConnection) -> None:
        await connection.execute(update(User).values(email_verified_at=clock.now()))
        await ada.log_in("ada")
        answers = [await ada.get("/settings/export") for _ in range(6)]

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"exports-account";q=5;w=3600'
        assert answers[-1].json()["code"] == "too_many_requests"

    @pytest.mark.parametrize("has_redis", [True, False])
    async def test_a_member_runs_one_export_at_a_time_on_all_instances(
        self, ada: Browser, app: FastAPI, has_redis: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        items, arrived, go_on = exporting._items, asyncio.Event(), asyncio.Event()

        async def wait(*arguments: Any) -> AsyncIterator[bytes]:
            arrived.set()
            await go_on.wait()
            async for item in items(*arguments):
                yield item

        monkeypatch.setattr(exporting, "_items", wait)
        app.state.services.redis.is_tripped = not has_redis
        async with Browser(app) as phone:
            await phone.log_in("ada")
            first = asyncio.create_task(export(ada))
            await arrived.wait()
            if has_redis:  # another instance has slots of its own
                app.state.services.streams._slots.clear()
            async with asyncio.timeout(30):
                second = await phone.get("/settings/export")
            go_on.set()
            await first
            third = await phone.get("/settings/export")

        assert (second.status_code, second.json()["code"]) == (429, "too_many_streams")
        assert third.status_code == 200

    async def test_export_is_audited(self, ada: Browser, connection: AsyncConnection) -> None:
        answer = await ada.get("/settings/export")

        event = await latest_audit_event(connection, ada.id)
        request_id = answer.headers["x-request-id"]
        assert (event["event"], event["request_id"]) == ("exported", request_id)


class TestDatabaseOutages:
    async def test_export_waits_for_a_connection(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing = _fail_batches(app, monkeypatch, failures=3)

        assert (await export(ada))["posts"]
        assert failing.failures == 0

    async def test_export_without_a_database_is_refused_before_the_first_byte(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _fail_batches(app, monkeypatch, failures=1000, first="users")

        answer = await ada.get("/settings/export")

        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

    async def test_broken_off_export_does_not_end_like_a_complete_one(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exporting, "MAX_OUTAGE", 0.0)
        _fail_batches(app, monkeypatch, failures=1000)
        messages: list[dict[str, Any]] = []
        cookies = "; ".join(f"{name}={value}" for name, value in ada.http.cookies.items())

        async def keep(message: Any) -> None:
            messages.append(message)

        with pytest.raises(NoConnection):
            await app(_export_scope(cookies), _no_body, keep)

        body = [message for message in messages if message["type"] == "http.response.body"]
        assert body
        assert all(message["more_body"] for message in body)  # so the server closes the connection


class _Failing:
    def __init__(self, failures: int) -> None:
        self.failures = failures


def _fail_batches(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, *, failures: int, first: str = "posts"
) -> _Failing:
    """Queries of a table find no connection that often, as if the pool were exhausted."""
    failing, database = _Failing(failures), app.state.services.database
    run = database.run

    async def run_or_fail(query: PreparedQuery[Row], *, on_primary: bool) -> list[Row]:
        if failing.failures and f"FROM {first}" in query.compiled.sql:
            failing.failures -= 1
            raise NoConnection("no connection within 2 seconds")
        rows: list[Row] = await run(query, on_primary=on_primary)
        return rows

    monkeypatch.setattr(database, "run", run_or_fail)
    monkeypatch.setattr(exporting, "_RETRY_INTERVAL", 0.01)
    return failing


def _export_scope(cookies: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/settings/export",
        "raw_path": b"/settings/export",
        "query_string": b"",
        "headers": [(b"host", b"api.test"), (b"cookie", cookies.encode())],
        "client": ("192.0.2.1", 50_000),
        "server": ("api.test", 80),
    }


async def _no_body() -> dict[str, Any]:
    """A client that stays connected."""
    await asyncio.Event().wait()
    return {}
