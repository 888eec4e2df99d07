"""A suspended account has no access to any endpoint."""

import re
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.hostile.corpus import Operation, operations_where
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_follow, make_post
from tests.support.mail import database, later, mail_config, outbox, smtp, worker
from tests.support.mail_server import MailServer

from wxc.core.ids import new_id
from wxc.db.database import Database
from wxc.moderation.actions import service
from wxc.moderation.audit.actors import Actor
from wxc.worker.mail_delivery import MailSender

__all__ = ["database", "later", "mail_config", "newest_token", "smtp", "worker"]
NEW_PASSWORD = "a longer walk in Porto"
OPERATOR = Actor("operator grace")
Lock = Callable[[Database, FastAPI], Awaitable[None]]

SESSION_OPERATIONS = operations_where(
    lambda operation: "401" in operation.declared["responses"] and operation.path != "/login"
)


async def suspend(database: Database, app: FastAPI) -> None:
    await service.suspend(database, app.state.services.auth.revocations, "ada", "spam", OPERATOR)


STATES = {"suspended": suspend}


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    """A member with a post; she and Bob follow each other."""
    ada, bob = await member("ada"), await member("bob")
    for follower, followed in ((ada, bob), (bob, ada)):
        await make_follow(connection, follower.id, followed.id)
    await make_post(connection, ada.id, "Ada was here")
    return ada


@pytest.fixture
async def post_id(ada: Browser) -> str:
    return str((await ada.get("/users/ada/posts")).json()["items"][0]["id"])


@pytest.fixture
async def link(ada: Browser, newest_token: NewestToken) -> str:
    """The token of a password reset link that Ada received before the suspension."""
    await ada.post("/request-password-reset", json={"email": "ada@example.com"})
    return await newest_token()


@pytest.fixture(params=list(STATES.values()), ids=list(STATES))
async def lock(request: pytest.FixtureRequest) -> Lock:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
async def locked_out(
    ada: Browser, post_id: str, link: str, lock: Lock, database: Database, app: FastAPI
) -> Browser:
    """Ada's browser after the suspension, with cookies that were valid before it."""
    await lock(database, app)
    return ada


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_suspension_is_revealed_only_after_the_right_password(
    locked_out: Browser, stranger: Browser
) -> None:
    for identifier in ("ada", "ada@example.com"):
        assert outcome(await stranger.log_in(identifier)) == (403, "account_suspended")
        wrong = await stranger.log_in(identifier, "not her password")
        assert outcome(wrong) == (401, "invalid_credentials")
    assert not stranger.http.cookies


@pytest.mark.parametrize("operation", SESSION_OPERATIONS, ids=str)
async def test_token_of_a_suspended_member_is_refused_by_every_operation(
    operation: Operation, locked_out: Browser
) -> None:
    path = re.sub(r"\{\w+_id\}", str(new_id()), operation.path).format(username="bob")
    body, headers = operation.valid_body(), {"Content-Type": "application/json"}

    answer = await locked_out.request(
        operation.method, path, content=body, headers=headers if body else {}
    )

    if operation.path == "/logout":  # logging out succeeds without a live session
        assert answer.status_code == 204
    elif operation.path == "/csrf-token":
        assert outcome(answer) == (401, "not_authenticated")
    else:
        assert outcome(answer) == (401, "session_expired")


async def test_suspended_member_cannot_refresh(locked_out: Browser) -> None:
    locked_out.http.cookies.delete("wxc_access")

    for _ in range(2):
        assert (await locked_out.post("/refresh-token")).status_code == 401


async def test_link_of_a_suspended_member_is_invalid(locked_out: Browser, link: str) -> None:
    answer = await locked_out.post(f"/reset-password/{link}", json={"password": NEW_PASSWORD})

    assert outcome(answer) == (400, "invalid_token")


async def test_reset_request_of_a_suspended_member_is_accepted_but_sends_no_mail(
    locked_out: Browser,
    stranger: Browser,
    connection: AsyncConnection,
    worker: MailSender,
    smtp: MailServer,
) -> None:
    sent = len(smtp.mails)

    answer = await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    await worker.run_once()

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert len(smtp.mails) == sent
    assert [row for row in await outbox(connection) if row.state == "waiting"] == []


@pytest.mark.parametrize("name", ["bob", ""])
async def test_suspended_member_is_invisible_to_others(
    locked_out: Browser, stranger: Browser, post_id: str, name: str
) -> None:
    viewer = stranger
    if name:
        await viewer.log_in(name)

    for path in ("/users/ada", "/users/ada/posts", "/users/ada/followers", "/users/ada/following"):
        assert outcome(await viewer.get(path)) == (404, "user_not_found")
    assert outcome(await viewer.get(f"/posts/{post_id}")) == (404, "post_not_found")
    listed = [await viewer.get(f"/users/bob/{edge}") for edge in ("followers", "following")]
    if name:
        listed.append(await viewer.get("/feeds"))
        assert outcome(await viewer.post("/users/ada/follow")) == (404, "user_not_found")
    for answer in listed:
        assert answer.status_code == 200
        assert "ada" not in answer.text.lower()


async def test_suspension_during_a_login_prevents_the_login(
    ada: Browser,
    stranger: Browser,
    lock: Lock,
    database: Database,
    app: FastAPI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verify = app.state.services.auth.passwords.verify

    async def lock_meanwhile(password: str, encoded: str | None, **options: bool) -> bool:
        await lock(database, app)
        return bool(await verify(password, encoded, **options))

    with monkeypatch.context() as patch:
        patch.setattr(app.state.services.auth.passwords, "verify", lock_meanwhile)
        assert (await stranger.log_in("ada")).status_code in (401, 403)

    assert await service.sessions_of(database, ada.id) == []


async def test_restored_member_is_visible_again_but_sessions_stay_ended(
    locked_out: Browser, stranger: Browser, database: Database, post_id: str, link: str
) -> None:
    await service.restore(database, "ada", OPERATOR)

    for path in ("/users/ada", "/users/ada/posts", f"/posts/{post_id}"):
        assert (await stranger.get(path)).status_code == 200
    assert outcome(await locked_out.get("/auth-check")) == (401, "session_expired")
    assert (await locked_out.post("/refresh-token")).status_code == 401
    reset = await stranger.post(f"/reset-password/{link}", json={"password": NEW_PASSWORD})
    assert outcome(reset) == (400, "invalid_token")
    assert (await stranger.log_in("ada", PASSWORD)).status_code == 200
    assert (await stranger.get("/auth-check")).json()["user"]["username"] == "ada"


async def test_suspension_is_audited_once(ada: Browser, database: Database, app: FastAPI) -> None:
    for _ in range(2):
        await suspend(database, app)
    for _ in range(2):
        await service.restore(database, "ada", OPERATOR)

    found = await service.show_member(database, str(ada.id), 10)

    assert [(event.event, event.actor, event.detail) for event in found.events] == [
        ("restored", "operator grace", {}),
        ("suspended", "operator grace", {"reason": "spam", "sessions_ended": 1}),
        ("login", "client", {}),
    ]


async def test_unknown_identifier_raises_no_such_member(database: Database) -> None:
    for identifier in ("nobody_at_all", "nobody@example.com", str(UUID(int=7))):
        with pytest.raises(service.NoSuchMember):
            await service.find_account(database, identifier)
