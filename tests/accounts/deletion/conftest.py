"""Fixtures: Ada, and a check of the counters."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import newest_token
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import database, later, mail_config, smtp, worker

__all__ = ["database", "later", "mail_config", "newest_token", "smtp", "worker"]
Drift = Callable[[], Awaitable[int]]
DRIFT = """
    SELECT (SELECT count(*) FROM users WHERE
        followers_count <> (SELECT count(*) FROM follows WHERE followed_id = users.id) OR
        following_count <> (SELECT count(*) FROM follows WHERE follower_id = users.id))
    + (SELECT count(*) FROM posts WHERE
        likes_count <> (SELECT count(*) FROM post_likes WHERE post_id = posts.id) AND
        author_id IN (SELECT id FROM users WHERE suspended_at IS NULL))
"""


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
def drift(connection: AsyncConnection) -> Drift:
    """Counts the visible rows whose counters are wrong."""

    async def count() -> int:
        return int(await connection.scalar(text(DRIFT)) or 0)

    return count


async def delete_account(browser: Browser, password: str = PASSWORD) -> int | str:
    """Delete the account; 204, or the code of the refusal."""
    answer = await browser.delete("/settings", json={"current_password": password})
    return 204 if answer.status_code == 204 else str(answer.json()["code"])
