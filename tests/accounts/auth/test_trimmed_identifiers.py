"""White space around a username or an e-mail address does not count, wherever it is sent."""

import json

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.accounts.auth.limits import WRONG_PASSWORD
from tests.conftest import Member
from tests.moderation.actions.conftest import Operate, operate
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user

from wxc.accounts.auth.policies import Policies
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.core.text import fold_identifier
from wxc.http.rate_limits import RateLimitStore
from wxc.mail.outbox import Outbox
from wxc.models import AuditEvent, AuditKind, OutboxMail, UsedUsername, User
from wxc.moderation.audit.actors import IdentifierHasher

__all__ = ["operate"]

# Spaces as keyboards, autofill and copying from a table or a page leave them.
PADDINGS = (" {}", "{} ", "\t{}", "{}\n", "\r\n{}", "\u00a0{}\u00a0", "{}\u3000", "\u2028{}\u2028")
padded = pytest.mark.parametrize("padding", PADDINGS, ids=ascii)


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@padded
@pytest.mark.parametrize("identifier", ["ada", "ADA", "ada@example.com", "Ada@EXAMPLE.com"])
async def test_log_in_ignores_space_around_the_identifier(
    ada: Browser, stranger: Browser, padding: str, identifier: str
) -> None:
    assert (await stranger.log_in(padding.format(identifier))).status_code == 200


async def test_a_password_is_not_trimmed(ada: Browser, stranger: Browser) -> None:
    for padding in PADDINGS:
        answer = await stranger.log_in("ada", padding.format(PASSWORD))
        assert answer.status_code in (401, 429)


@pytest.mark.parametrize("name", ["ada", "ada@example.com"])
async def test_padded_failures_share_one_limit_and_one_audited_identifier(
    ada: Browser, app: FastAPI, connection: AsyncConnection, name: str
) -> None:
    async with Browser(app, address="198.51.100.7") as browser:
        statuses = [
            (await browser.log_in(padding.format(name), WRONG_PASSWORD)).status_code
            for padding in (*PADDINGS[:5], "{}")
        ]

    assert statuses == [401] * 5 + [429]
    failed = select(AuditEvent.user_id, AuditEvent.detail["identifier"].astext)
    failed = failed.where(AuditEvent.event == AuditKind.LOGIN_FAILED)
    assert len(set((await connection.execute(failed)).all())) == 1


@padded
async def test_registration_stores_the_identifiers_trimmed(
    stranger: Browser, connection: AsyncConnection, padding: str
) -> None:
    account = {
        "username": padding.format("Grace"),
        "email": padding.format("Grace@Example.com"),
        "password": PASSWORD,
    }

    answer = await stranger.post("/register", json=account)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["username"], answer.json()["email"]) == ("Grace", "Grace@example.com")
    stored = select(User.username_folded, User.email_folded).where(User.username == "Grace")
    assert (await connection.execute(stored)).one() == ("grace", "grace@example.com")
    used = select(func.count()).select_from(UsedUsername).where(UsedUsername.name == "grace")
    assert await connection.scalar(used) == 1
    again = await stranger.post("/register", json=account | {"email": "other@example.com"})
    assert again.json()["code"] == "username_taken"
    again = await stranger.post("/register", json=account | {"username": "other"})
    assert again.json()["code"] == "email_taken"


@padded
async def test_mails_go_to_the_trimmed_address(
    ada: Browser, stranger: Browser, connection: AsyncConnection, padding: str
) -> None:
    reset = await stranger.post(
        "/request-password-reset", json={"email": padding.format("ada@example.com")}
    )
    body = {"email": padding.format("new@example.com"), "current_password": PASSWORD}
    change = await ada.put("/settings/email", json=body)

    assert (reset.status_code, change.status_code) == (202, 202)
    mails = (await connection.scalars(select(OutboxMail.address).order_by(OutboxMail.id))).all()
    assert mails == ["ada@example.com", "ada@example.com", "new@example.com"]
    assert (await ada.get("/settings")).json()["pending_email"] == "new@example.com"


@padded
async def test_username_change_stores_the_name_trimmed(ada: Browser, padding: str) -> None:
    body = {"username": padding.format("Countess"), "current_password": PASSWORD}

    answer = await ada.put("/settings/username", json=body)

    assert (answer.status_code, answer.json().get("username")) == (200, "Countess")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/register", {"username": "  a ", "email": "a@example.com", "password": PASSWORD}),
        ("/register", {"username": "a b", "email": "a@example.com", "password": PASSWORD}),
        ("/register", {"username": "grace", "email": "a @example.com", "password": PASSWORD}),
        ("/register", {"username": "grace", "email": "  ", "password": PASSWORD}),
        ("/login", {"identifier": "   ", "password": PASSWORD}),
        ("/login", {"identifier": " " * 5000 + "ada", "password": PASSWORD}),
    ],
)
async def test_space_inside_and_nothing_but_space_are_refused(
    stranger: Browser, path: str, body: dict[str, str]
) -> None:
    answer = await stranger.post(path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_folding_trims_for_look_ups_limits_and_the_audit_trail(config: Config) -> None:
    policies, hasher = Policies(config), IdentifierHasher(config)
    outbox = Outbox(config, RateLimitStore(config, RedisClient(config)))
    for padding in PADDINGS:
        typed = padding.format("Ada@example.com")
        assert fold_identifier(typed) == "ada@example.com"
        assert outbox.hit(typed) == outbox.hit("ada@example.com")
        assert policies.login(typed, "192.0.2.1", 0, None) == policies.login(
            "ada@example.com", "192.0.2.1", 0, None
        )
        assert hasher.hash_identifier(typed) == hasher.hash_identifier("ada@example.com")


async def test_commands_find_members_by_padded_names_addresses_and_ids(
    operate: Operate, fresh_database_url: str
) -> None:
    engine = create_async_engine(fresh_database_url)
    async with engine.begin() as connection:
        user_id = await make_user(connection, "ada")
    await engine.dispose()

    for padding in PADDINGS:
        for identifier in ("ada", "Ada@example.com", str(user_id)):
            result = await operate("user", "show", padding.format(identifier), "--json")

            assert result.exit_code == 0, result.output
            assert json.loads(result.output)["account"]["id"] == str(user_id)
