from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import PASSWORD, make_user

from wxc.core import clock
from wxc.models import AuditEvent, Session, User

REGISTRATION = {"username": "Ada", "email": "Ada@Example.COM", "password": "a walk in the rain"}


class TestRegister:
    async def test_registration_does_not_log_in(self, stranger: Browser) -> None:
        answer = await stranger.post("/register", json=REGISTRATION)

        assert answer.status_code == 201
        assert answer.headers["location"] == "/users/Ada"
        me = answer.json()
        assert (me["username"], me["email"]) == ("Ada", "Ada@example.com")
        assert me["email_verified"] is False
        assert "set-cookie" not in answer.headers
        assert "password" not in answer.text

    async def test_member_can_log_in_by_username_or_address(self, stranger: Browser) -> None:
        await stranger.post("/register", json=REGISTRATION)

        for identifier in ("ada", "ADA", "ada@example.com"):
            answer = await stranger.log_in(identifier, REGISTRATION["password"])
            assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"email": "b@example.com", "username": "aDA"}, "username_taken"),
            ({"email": "aDa@example.com", "username": "bob"}, "email_taken"),
        ],
    )
    async def test_username_and_address_are_unique_ignoring_case(
        self, stranger: Browser, change: dict[str, str], code: str
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)

        answer = await stranger.post("/register", json=REGISTRATION | change)

        assert (answer.status_code, answer.json()["code"]) == (409, code)

    @pytest.mark.parametrize("username", ["admin", "Feeds", "NULL", "settings"])
    async def test_reserved_names_are_refused(self, stranger: Browser, username: str) -> None:
        answer = await stranger.post("/register", json=REGISTRATION | {"username": username})

        assert (answer.status_code, answer.json()["code"]) == (422, "username_reserved")

    @pytest.mark.parametrize("password", ["password1", "PASSWORD1", "1234567890"])
    async def test_common_passwords_are_refused(self, stranger: Browser, password: str) -> None:
        answer = await stranger.post("/register", json=REGISTRATION | {"password": password})

        assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")

    async def test_password_is_not_trimmed(self, stranger: Browser) -> None:
        spaced = "  a walk in the rain  "
        await stranger.post("/register", json=REGISTRATION | {"password": spaced})

        assert (await stranger.log_in("ada", spaced.strip())).status_code == 401
        assert (await stranger.log_in("ada", spaced)).status_code == 200

    async def test_password_matches_in_any_unicode_normalisation(self, stranger: Browser) -> None:
        await stranger.post("/register", json=REGISTRATION | {"password": "caf\u00e9 au lait"})

        assert (await stranger.log_in("ada", "cafe\u0301 au lait")).status_code == 200

    async def test_international_domain_is_stored_in_ascii(self, stranger: Browser) -> None:
        answer = await stranger.post(
            "/register", json=REGISTRATION | {"email": "ada@BÜCHER.example"}
        )

        assert answer.json()["email"] == "ada@xn--bcher-kva.example"


class TestLogIn:
    async def test_unknown_account_and_wrong_password_get_the_same_answer(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada")

        wrong = (await stranger.log_in("ada", "not her password")).json()
        unknown = (await stranger.log_in("nobody_at_all", "not her password")).json()

        del wrong["request_id"], unknown["request_id"]
        assert wrong == unknown
        assert wrong["code"] == "invalid_credentials"

    async def test_tokens_are_in_http_only_cookies_and_in_no_body(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada")

        answer = await stranger.log_in("ada")

        cookies = answer.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0]: cookie.partition("; ")[2] for cookie in cookies} == {
            "wxc_access": "HttpOnly; Max-Age=1209600; Path=/; SameSite=lax",
            "wxc_refresh": "HttpOnly; Max-Age=1209600; Path=/; SameSite=lax",
            "wxc_device": "HttpOnly; Max-Age=15552000; Path=/; SameSite=lax",
        }
        for cookie in cookies:
            assert cookie.partition("=")[2].partition(";")[0] not in answer.text

    async def test_suspension_is_revealed_only_after_the_right_password(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada", suspended_at=clock.now())

        right, wrong = await stranger.log_in("ada"), await stranger.log_in("ada", "wrong")

        assert (right.status_code, right.json()["code"]) == (403, "account_suspended")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")

    async def test_login_ends_the_browsers_previous_session(
        self, stranger: Browser, member: Member
    ) -> None:
        ada = await member("ada")
        stranger.http.cookies.update(ada.http.cookies)

        await ada.log_in("ada")

        assert (await stranger.get("/auth-check")).json()["code"] == "session_expired"
        assert (await ada.get("/auth-check")).status_code == 200

    async def test_invalid_cookies_do_not_prevent_login(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada")

        answer = await stranger.post(
            "/login",
            json={"identifier": "ada", "password": PASSWORD},
            headers={"Cookie": "wxc_access=a; wxc_access=b"},
        )

        assert answer.status_code == 200

    async def test_login_replaces_an_outdated_hash(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        outdated = await _hash_of_other_parameters()
        ada = await make_user(connection, "ada", password_hash=outdated)

        assert (await stranger.log_in("ada")).status_code == 200

        stored = await connection.scalar(select(User.password_hash).where(User.id == ada))
        assert stored is not None
        assert stored != outdated
        assert (await stranger.log_in("ada")).status_code == 200

    @pytest.mark.parametrize(
        "identifier", ["Ada@bücher.example", "ADA@BÜCHER.EXAMPLE", "ada@xn--bcher-kva.example"]
    )
    async def test_login_accepts_every_spelling_of_an_international_address(
        self, stranger: Browser, identifier: str
    ) -> None:
        await stranger.post("/register", json=REGISTRATION | {"email": "Ada@bücher.example"})

        assert (await stranger.log_in(identifier, REGISTRATION["password"])).status_code == 200

    async def test_malformed_address_is_an_unknown_account(self, stranger: Browser) -> None:
        assert (await stranger.log_in("@", "whatever it is")).status_code == 401

    async def test_full_hashing_queue_refuses_requests_before_any_query(
        self, app: FastAPI, stranger: Browser, connection: AsyncConnection
    ) -> None:
        app.state.services.auth.passwords._free_slots = 0

        with StatementLog().watching(connection) as log:
            login = await stranger.log_in("ada")
            registration = await stranger.post("/register", json=REGISTRATION)

        for answer in (login, registration):
            assert (answer.status_code, answer.json()["code"]) == (503, "hashing_busy")
        assert log.statements == []

    async def test_password_change_during_hashing_prevents_the_login(
        self,
        app: FastAPI,
        stranger: Browser,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await make_user(connection, "ada")
        verify = app.state.services.auth.passwords.verify
        another = await app.state.services.auth.passwords.hash("another password")

        async def change_meanwhile(password: str, encoded: str | None, **options: bool) -> bool:
            await connection.execute(update(User).values(password_hash=another))
            return bool(await verify(password, encoded, **options))

        monkeypatch.setattr(app.state.services.auth.passwords, "verify", change_meanwhile)

        answer = await stranger.log_in("ada")

        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert await connection.scalar(select(Session.id)) is None
        failures = select(func.count()).where(AuditEvent.event == "login_failed")
        assert await connection.scalar(failures) == 1


class TestAuthCheck:
    async def test_auth_check_returns_the_member_and_the_csrf_token(self, member: Member) -> None:
        ada = await member("ada")

        answer = await ada.get("/auth-check")

        assert answer.status_code == 200
        assert answer.json()["authenticated"] is True
        assert answer.json()["user"]["username"] == "ada"
        assert answer.json()["csrf_token"] == ada.csrf_token
        assert answer.headers["cache-control"] == "no-store"

    async def test_auth_check_requires_a_session(self, stranger: Browser) -> None:
        answer = await stranger.get("/auth-check")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    async def test_refresh_cookie_alone_is_an_expired_session(self, member: Member) -> None:
        ada = await member("ada")
        ada.http.cookies.delete("wxc_access")

        for path in ("/auth-check", "/users/ada"):  # also where a session is optional
            answer = await ada.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")

    async def test_expired_access_token_is_an_expired_session(
        self, member: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = await member("ada")
        later = clock.now() + timedelta(minutes=10, seconds=31)
        monkeypatch.setattr(clock, "now", lambda: later)

        answer = await ada.get("/auth-check")

        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")

    async def test_cookies_of_two_sessions_are_not_authenticated(self, member: Member) -> None:
        ada, bob = await member("ada"), await member("bob")
        cookies = f"wxc_access={ada.http.cookies['wxc_access']}"
        cookies += f"; wxc_refresh={bob.http.cookies['wxc_refresh']}"
        ada.http.cookies.clear()

        answer = await ada.get("/auth-check", headers={"Cookie": cookies})

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    async def test_duplicate_cookie_is_not_authenticated(self, member: Member) -> None:
        ada = await member("ada")
        token = ada.http.cookies["wxc_access"]
        ada.http.cookies.clear()

        answer = await ada.get(
            "/auth-check", headers={"Cookie": f"wxc_access={token}; wxc_access={token}"}
        )

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    async def test_session_of_a_deleted_account_is_expired(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await connection.execute(delete(User).where(User.id == ada.id))

        assert (await ada.get("/auth-check")).json()["code"] == "session_expired"


class TestCsrfToken:
    async def test_csrf_token_is_returned_for_either_cookie(self, member: Member) -> None:
        ada = await member("ada")

        for name in ("wxc_refresh", "wxc_access"):
            value = ada.http.cookies[name]
            answer = await ada.http.get("/csrf-token", headers={"Cookie": f"{name}={value}"})
            assert answer.json() == {"csrf_token": ada.csrf_token}

    async def test_csrf_token_requires_a_live_session(
        self, stranger: Browser, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        await connection.execute(update(Session).values(revoked_at=clock.now()))

        for browser in (stranger, ada):
            answer = await browser.get("/csrf-token")
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    async def test_forged_refresh_token_gets_no_csrf_token(self, member: Member) -> None:
        ada = await member("ada")
        token = ada.http.cookies["wxc_refresh"]
        forged = ("A" if token[0] != "A" else "B") + token[1:]

        for cookie in (forged, "garbage", "ü"):
            answer = await ada.http.get(
                "/csrf-token", headers={b"Cookie": f"wxc_refresh={cookie}".encode()}
            )
            assert answer.status_code == 401


async def _hash_of_other_parameters() -> str:
    from pwdlib.hashers.argon2 import Argon2Hasher

    return Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
