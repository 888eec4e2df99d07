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
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
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

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
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
    assert len(log.statements) == 1 + len(LISTINGS) + count // 2


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

    chunks = await exporting.open_export(database, me)
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
        SingleConnectionDatabase(connection), Principal(ada.id, new_id(), clock.now())
    )
    sizes = [len(chunk) async for chunk in chunks]

    assert sum(sizes) > exporting.BATCH_SIZE * 5000
    assert max(sizes) < exporting.BATCH_SIZE * 6000
