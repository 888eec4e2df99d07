"""The leak detector for logs works, and a server at debug level logs no secret."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Member
from tests.hostile.server import Server, serving
from tests.support.factories import PASSWORD
from tests.support.mail_server import link_token, mail_server
from tests.support.secrecy import LeakDetector, assert_no_secret, secrecy
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.worker.mail_delivery import MailSender

TOKEN = "rJ1uVnnJMB1Kx4IhCLvp6ZtOQ5c3kSPd0wXy7aGfE2M"
PROTECTED = 'a "quoted" p\u00e4ssword\\'
WRONG_PASSWORD = "a wrong walk in Porto"
ACCOUNT = {"username": "ada", "email": "canary@example.com", "password": "a walk in the rain"}
CREDENTIALS = {"identifier": ACCOUNT["email"], "password": ACCOUNT["password"]}
CHANGE = {"new_password": "a longer walk in Porto"}
_log = logging.getLogger("wxc.somewhere.new")


def caught() -> int:
    """The number of records that were caught; clears them, so that the test does not fail."""
    count = len(secrecy.leaks)
    secrecy.leaks.clear()
    return count


class TestLeakDetector:
    @pytest.mark.parametrize(
        "text",
        [
            PROTECTED,
            f"/reset-password/{TOKEN}",
            "https://app.example.com/reset-password#token=short",
            "Set-Cookie: a=b",
            "Cookie: a=b",
            "Authorization: Basic YTpi",
            "wxc_refresh=gone",
            "ada@example.com",
            "$argon2id$v=19$m=8",
        ],
    )
    def test_secret_is_caught_in_message_arguments_extra_fields_and_traceback(
        self, text: str
    ) -> None:
        secrecy.protect(PROTECTED)

        _log.debug(text)
        _log.info("%s", text)
        _log.warning("all is well", extra={"field": {"deep": [text]}})
        try:
            raise ValueError(text)
        except ValueError:
            _log.exception("it failed")

        assert caught() == 4

    def test_leak_fails_the_test_that_logged_it(self) -> None:
        _log.error(TOKEN)

        with pytest.raises(AssertionError, match="a secret has been logged"):
            secrecy.verify()

    def test_reconfigured_handlers_do_not_disable_the_detector(self) -> None:
        logging.basicConfig(force=True, handlers=[logging.NullHandler()])

        logging.getLogger("uvicorn.error").warning(TOKEN)

        assert caught() == 1

    @pytest.mark.parametrize(
        "text",
        [
            "GET /reset-password/{token} 204 in 3.1 ms",
            "mail 01990000-0000-7000-8000-000000000000 (verification) is sent",
            "test_a_name_of_more_than_forty_three_letters_is_no_token_of_1",
            "b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
            "    @pytest.fixture",
            "short",
        ],
    )
    def test_other_text_is_not_caught(self, text: str) -> None:
        own = LeakDetector()
        own.protect("short", None)

        own.inspect(text)

        assert own.leaks == []

    async def test_secrets_of_the_test_browser_are_recorded(self, member: Member) -> None:
        ada = await member("ada")

        secrets = [PASSWORD, *dict(ada.http.cookies).values(), ada.csrf_token]
        for secret in secrets:
            _log.warning("it is %s", secret)

        assert caught() == len(secrets) >= 4


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_server_at_debug_level_logs_no_secret(
    config: Config, redis_url: str, tmp_path: Path, log_format: str
) -> None:
    """Runs `wxc serve` with LOG_LEVEL=debug and sends every kind of secret."""
    log = tmp_path / "log"
    settings = {"LOG_LEVEL": "debug", "LOG_FORMAT": log_format}
    with (
        serving(redis_url, log, **settings) as server,
        httpx.Client(base_url=server.url) as browser,
    ):
        browser.post("/register", json=ACCOUNT).raise_for_status()
        browser.post("/register", json=ACCOUNT | {"email": "not an address"})
        browser.post("/register", content=f'{{"password": "{ACCOUNT["password"]}"')
        browser.post("/login", json={"identifier": "ada", "password": WRONG_PASSWORD})
        browser.post("/login", json=CREDENTIALS).raise_for_status()
        old = dict(browser.cookies)
        csrf_token = browser.post("/login", json=CREDENTIALS).json()["csrf_token"]
        headers = {"X-CSRF-Token": csrf_token, "Authorization": f"Bearer {TOKEN}"}
        browser.post("/refresh-token", headers=headers).raise_for_status()
        secrets_sent = [*old.values(), *dict(browser.cookies).values(), csrf_token]
        browser.put("/settings/password", headers=headers, json=CHANGE | {"current_password": "x"})
        browser.post("/request-password-reset", json={"email": ACCOUNT["email"]})
        token = asyncio.run(mailed_token(config, server))
        for _ in range(2):  # the second is refused
            browser.post(f"/reset-password/{token}", json={"password": CHANGE["new_password"]})
        browser.get(f"/reset-password/{token}?token={token}")
        logged = log.read_text()

    assert "/reset-password/{token}" in logged
    assert "DEBUG" in logged
    secrets_sent += [token, TOKEN, ACCOUNT["password"], WRONG_PASSWORD, CHANGE["new_password"]]
    assert_no_secret(log, *secrets_sent, ACCOUNT["email"], "not an address")


async def mailed_token(config: Config, server: Server) -> str:
    """The token of the latest reset link."""
    async with mail_server() as smtp:
        settings: dict[str, Any] = {"database_url": server.database_url, "mail_server": "127.0.0.1"}
        settings |= {"mail_port": smtp.port, "mail_starttls": False}
        mail_config = config.model_copy(update=settings)
        database = Database(mail_config)
        await MailSender(mail_config, database).run_once()
        await database.close()
        return link_token(next(one for one in smtp.mails if "password" in one["subject"]))
