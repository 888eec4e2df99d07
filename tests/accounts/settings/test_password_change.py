import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.browser import Browser
from tests.support.factories import PASSWORD

from wxc.models import MailKind, OutboxMail, User

FRESH = "an even longer walk"


def change(current: str = PASSWORD, new: str = FRESH) -> dict[str, dict[str, str]]:
    return {"json": {"current_password": current, "new_password": new}}


async def test_password_change_ends_all_other_sessions(ada: Browser, phone: Browser) -> None:
    assert (await ada.put("/settings/password", **change())).status_code == 204

    assert (await ada.get("/auth-check")).status_code == 200
    assert (await phone.get("/auth-check")).json()["code"] == "session_expired"
    assert (await phone.log_in("ada", PASSWORD)).status_code == 401
    assert (await phone.log_in("ada", FRESH)).status_code == 200


async def test_password_change_notifies_the_owner_and_cancels_a_pending_address(
    ada: Browser, connection: AsyncConnection
) -> None:
    await connection.execute(update(User).values(pending_email=None))
    await connection.execute(
        update(User).where(User.id == ada.id).values(pending_email="other@example.com")
    )

    await ada.put("/settings/password", **change())

    notices = select(OutboxMail.address).where(OutboxMail.kind == MailKind.PASSWORD_CHANGED)
    assert (await connection.scalars(notices)).all() == ["ada@example.com"]
    pending = select(User.pending_email).where(User.id == ada.id)
    assert await connection.scalar(pending) is None


async def test_password_change_requires_the_current_password(ada: Browser, phone: Browser) -> None:
    answer = await ada.put("/settings/password", **change(current="not hers"))

    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert (await phone.get("/auth-check")).status_code == 200
    assert (await phone.log_in("ada", PASSWORD)).status_code == 200


async def test_a_common_password_is_refused(ada: Browser) -> None:
    answer = await ada.put("/settings/password", **change(new="password1"))

    assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")


async def test_concurrent_password_change_is_not_overwritten(
    app: FastAPI, ada: Browser, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = app.state.services.auth.passwords
    another = await passwords.hash("another one")
    hash_password = passwords.hash

    async def change_meanwhile(password: str, **options: bool) -> str:
        await connection.execute(update(User).values(password_hash=another))
        return str(await hash_password(password, **options))

    monkeypatch.setattr(passwords, "hash", change_meanwhile)

    answer = await ada.put("/settings/password", **change())

    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    stored = select(User.password_hash).where(User.id == ada.id)
    assert await connection.scalar(stored) == another


async def test_session_of_a_deleted_account_is_expired(
    ada: Browser, connection: AsyncConnection
) -> None:
    await connection.exec_driver_sql("DELETE FROM users WHERE username = 'ada'")

    answer = await ada.put("/settings/password", **change())

    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")
