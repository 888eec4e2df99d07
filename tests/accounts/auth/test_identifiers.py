"""One function folds usernames and e-mail addresses wherever they are compared."""

import asyncio
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import administer, drop_database, renamed
from typer.testing import CliRunner

from wxc.accounts.auth.policies import Policies
from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.core.text import fold_identifier, normalise_email
from wxc.db import migrations
from wxc.http.rate_limits import RateLimitStore
from wxc.mail.outbox import Outbox
from wxc.models import AuditEvent, AuditKind, OutboxMail, User
from wxc.moderation.audit.actors import IdentifierHasher

SOURCE = Path(__file__).parents[3] / "src" / "wxc"
PASSWORD = "a long walk in Porto"
SPELLINGS = {
    "dotted capital I": ("İda@example.com", "i\u0307da@example.com"),
    "final sigma": ("ΝΊΚΟΣ@example.com", "νίκος@example.com"),
    "decomposed": ("Élan@example.com", "e\u0301lan@example.com"),
    "domain": ("Ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
}
"""Pairs of spellings of one address that PostgreSQL or Python may fold differently."""


def _folding_code_points() -> Iterator[int]:
    """The code points of all blocks of 64 in which folding changes at least one."""
    for start in range(0, 0x110000, 64):
        block = range(start, start + 64)
        text = "".join(map(chr, block))
        if not 0xD800 <= start < 0xE000 and fold_identifier(text) != text:
            yield from block


@pytest.mark.unmeasured
def test_every_code_point_has_one_folded_form_for_limits_mails_and_the_audit_trail(
    config: Config,
) -> None:
    policies, identifier_hasher = Policies(config), IdentifierHasher(config)
    outbox = Outbox(config, RateLimitStore(config, RedisClient(config)))
    for number in _folding_code_points():
        typed = f"a{chr(number)}b@example.com"
        folded = fold_identifier(typed)

        assert fold_identifier(folded) == folded == unicodedata.normalize("NFC", folded)
        hits = policies.login(typed, "192.0.2.1", 0, None)
        assert [hit.key[0] for hit in hits] == [folded, folded, "192.0.2.1"]
        assert outbox.hit(typed).key == (folded,)
        assert number % 7 or identifier_hasher.hash_identifier(
            typed
        ) == identifier_hasher.hash_identifier(folded)


@pytest.mark.parametrize("spellings", SPELLINGS.values(), ids=SPELLINGS)
async def test_spellings_of_an_address_log_in_to_one_account_and_share_its_limits_and_audit_hash(
    spellings: tuple[str, str], app: FastAPI, stranger: Browser, connection: AsyncConnection
) -> None:
    typed, other = spellings
    account = {"username": "Ida_1", "email": typed, "password": PASSWORD}
    assert (await stranger.post("/register", json=account)).status_code == 201

    row = (await connection.execute(select(User).where(User.username == "Ida_1"))).one()
    assert (row.username_folded, row.email_folded) == (
        "ida_1",
        fold_identifier(normalise_email(typed)),
    )
    again = await stranger.post("/register", json=account | {"username": "two", "email": other})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    for spelling in spellings:
        async with Browser(app, address="198.51.100.9") as browser:
            assert (await browser.log_in(spelling, PASSWORD)).status_code == 200
    async with Browser(app, address="198.51.100.7") as browser:
        statuses = [(await browser.log_in(spellings[n % 2], "x")).status_code for n in range(6)]
    assert statuses == [401] * 5 + [429]
    failed = select(AuditEvent.user_id, AuditEvent.detail["identifier"].astext)
    failed = failed.where(AuditEvent.event == AuditKind.LOGIN_FAILED)
    assert len(set((await connection.execute(failed)).all())) == 1


async def test_spellings_of_an_address_share_the_mail_limit(
    member: Member, stranger: Browser, connection: AsyncConnection
) -> None:
    await member("ida")
    for spelling in ("ida@example.com", "IDA@example.com", "Ida@EXAMPLE.com", "iDa@example.com"):
        answer = await stranger.post("/request-password-reset", json={"email": spelling})
        assert answer.status_code == 202

    mails = (await connection.execute(select(OutboxMail.address))).scalars().all()
    assert len(mails) == 3


@pytest.mark.parametrize("typed", ["\u212aenji", "KENJI", "Kenji"])
async def test_usernames_with_the_same_folded_form_share_a_limit(
    typed: str, app: FastAPI, member: Member
) -> None:
    await member("kenji")
    async with Browser(app, address="198.51.100.7") as browser:
        names = ["kenji", typed] * 3
        statuses = [(await browser.log_in(name, "x")).status_code for name in names]

    assert statuses == [401] * 5 + [429]


def test_only_fold_identifier_folds_identifiers() -> None:
    """Only the search uses the database's `lower()`, on both sides of its comparison."""
    folding = re.compile(r"func\.lower|(username|identifier|email|address|group\(1\))\.lower\(\)")
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if folding.search(path.read_text())
    }

    assert found == {"social/search/repository.py", "models/user.py"}


class TestManualStatements:
    """Uses a database with the C locale, whose `lower()` changes only ASCII letters."""

    @pytest.fixture
    def url(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        server, name = os.environ["WXC_TEST_DATABASE_URL"], f"wxc_test_{uuid4().hex[:12]}"
        asyncio.run(
            administer(server, f'CREATE DATABASE "{name}" LC_COLLATE "C" TEMPLATE template0')
        )
        url = renamed(server, name)
        settings = {"DATABASE_URL": url, "DATABASE_DIRECT_URL": url, "ENVIRONMENT": "development"}
        secrets = {"REDIS_URL": "redis://nowhere", "SECRET_KEY": "s" * 40, "JWT_SECRET_KEY": "j"}
        for setting, value in (settings | secrets).items():
            monkeypatch.setenv(setting, value)
        migrations.migrate()
        yield url
        asyncio.run(drop_database(server, name))

    def test_a_trigger_fills_missing_folded_columns(self, url: str) -> None:
        _insert(url, "Ada", "Ada@example.com")
        _insert(url, "nikos", "ΝΊΚΟΣ@example.com")
        _execute(
            url, "UPDATE users SET email_folded = 'νίκος@example.com' WHERE username = 'nikos'"
        )
        assert _folded(url) == {"ada": "ada@example.com", "nikos": "νίκος@example.com"}

        _execute(url, "UPDATE users SET email = 'New@example.com' WHERE username = 'Ada'")
        _execute(url, "UPDATE users SET username = 'NIKOS' WHERE username = 'nikos'")

        assert _folded(url) == {"ada": "new@example.com", "nikos": "νίκος@example.com"}

    def test_duplicates_command_lists_accounts_that_share_an_identifier(self, url: str) -> None:
        assert CliRunner().invoke(cli.app, ["user", "duplicates"]).exit_code == 0
        _execute(url, "DROP INDEX uq_users_email_folded")
        _insert(url, "nikos", "ΝΊΚΟΣ@example.com")
        _insert(url, "other", "νίκος@example.com")
        _execute(url, "UPDATE users SET email_folded = 'νίκος@example.com'")

        listed = CliRunner().invoke(cli.app, ["user", "duplicates", "--json"])

        assert listed.exit_code == 1
        assert {item["value"] for item in json.loads(listed.output)} == {
            "ΝΊΚΟΣ@example.com",
            "νίκος@example.com",
        }
        assert "νίκος@example.com" in CliRunner().invoke(cli.app, ["user", "duplicates"]).output


def _execute(url: str, statement: str, *values: object) -> list[asyncpg.Record]:
    async def execute() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
        await connection.close()
        return rows

    return asyncio.run(execute())


def _insert(url: str, username: str, email: str) -> None:
    columns = "id, username, email, password_hash, created_at"
    values = "gen_random_uuid(), $1, $2, 'hash', now()"
    _execute(url, f"INSERT INTO users ({columns}) VALUES ({values})", username, email)  # noqa: S608


def _folded(url: str) -> dict[str, str]:
    rows = _execute(url, "SELECT username_folded, email_folded FROM users")
    return {row["username_folded"]: row["email_folded"] for row in rows}
