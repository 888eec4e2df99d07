"""`PUT /settings/username`: limited per year, never to a name that another member has or had."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import Later

from wxc.core import clock
from wxc.models import UsedUsername, User

YEAR = timedelta(days=365)


async def rename(browser: Browser, username: str, password: str = PASSWORD) -> tuple[int, str]:
    """Change the username; returns the status, and the username or code of the response."""
    answer = await browser.put(
        "/settings/username", json={"username": username, "current_password": password}
    )
    return answer.status_code, answer.json().get("username") or answer.json()["code"]


async def register(browser: Browser, username: str) -> tuple[int, str]:
    account = {"username": username, "email": "new@example.org", "password": PASSWORD}
    answer = await browser.post("/register", json=account)
    return answer.status_code, answer.json().get("username") or answer.json()["code"]


async def test_profile_is_found_by_the_new_username_only(ada: Browser, stranger: Browser) -> None:
    assert await rename(ada, "Countess") == (200, "Countess")

    assert (await stranger.get("/users/COUNTESS")).json()["username"] == "Countess"
    assert (await stranger.get("/users/ada")).status_code == 404
    assert (await stranger.log_in("countess")).status_code == 200
    assert (await stranger.log_in("ada")).status_code == 401
    assert (await ada.get("/settings")).json()["username"] == "Countess"


async def test_former_username_is_reserved_for_its_owner(
    ada: Browser, member: Member, stranger: Browser
) -> None:
    bob = await member("bob")
    await rename(ada, "countess")

    assert await rename(bob, "ADA") == (409, "username_taken")
    assert await rename(bob, "Countess") == (409, "username_taken")
    assert await register(stranger, "Ada") == (409, "username_taken")
    assert await rename(ada, "Ada") == (200, "Ada")
    assert await rename(bob, "countess") == (409, "username_taken")


async def test_fourth_change_within_a_year_is_refused_with_retry_after(
    ada: Browser, connection: AsyncConnection, later: Later
) -> None:
    later(timedelta())
    for name in ("ada_1", "ada_2", "ada_1"):  # returning to a former name counts as a change
        assert (await rename(ada, name))[0] == 200
        later(timedelta(seconds=10))
    before = await snapshot(connection)

    answer = await ada.put(
        "/settings/username", json={"username": "ada_3", "current_password": PASSWORD}
    )

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_username_changes")
    assert int(answer.headers["retry-after"]) == YEAR.total_seconds() - 30
    assert await snapshot(connection) == before


async def test_limit_counts_the_last_365_days(ada: Browser, connection: AsyncConnection) -> None:
    now = clock.now()
    ages = (YEAR - timedelta(minutes=1), timedelta(days=30), timedelta(days=1))
    changes = update(User).where(User.id == ada.id)
    await connection.execute(changes.values(username_changes=[now - age for age in ages]))
    assert await rename(ada, "countess") == (429, "too_many_username_changes")

    ages = (YEAR, timedelta(days=30), timedelta(days=1))
    await connection.execute(changes.values(username_changes=[now - age for age in ages]))
    assert await rename(ada, "countess") == (200, "countess")
    stored = select(User.username_changes).where(User.id == ada.id)
    assert len(await connection.scalar(stored) or ()) == 3


async def test_changes_of_case_are_not_limited(ada: Browser, connection: AsyncConnection) -> None:
    for name in ("Ada", "ADA", "aDa", "ada", "ada"):
        assert await rename(ada, name) == (200, name)

    names = select(UsedUsername.name).where(UsedUsername.user_id == ada.id)
    assert (await connection.scalars(names)).all() == ["ada"]


@pytest.mark.parametrize(
    ("username", "password", "refused"),
    [
        ("Admin", PASSWORD, (422, "username_reserved")),
        ("settings", PASSWORD, (422, "username_reserved")),
        ("a b", PASSWORD, (422, "validation_failed")),
        ("countess", "not hers", (403, "wrong_password")),
        ("noise_1", PASSWORD, (409, "username_taken")),
    ],
)
async def test_refused_username_changes_nothing(
    ada: Browser,
    connection: AsyncConnection,
    username: str,
    password: str,
    refused: tuple[int, str],
) -> None:
    before = await snapshot(connection)

    assert await rename(ada, username, password) == refused

    assert await snapshot(connection) == before
