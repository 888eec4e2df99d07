"""A post to talk under, and people who talk."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_post, make_user

UNKNOWN = UUID("01900000-0000-7000-8000-000000000000")


class Talk:
    """Ada, signed in; Bob's post; and whatever is said under it."""

    def __init__(self, ada: Browser, bob: UUID, post_id: UUID, connection: AsyncConnection) -> None:
        self.ada = ada
        self.bob = bob
        self.post_id = post_id
        self.path = f"/posts/{post_id}/comments"
        self._connection = connection

    async def say(self, parent_id: UUID | None = None, author: UUID | None = None) -> UUID:
        """A comment by Bob, or by somebody else."""
        return await make_comment(self._connection, author or self.bob, self.post_id, parent_id)

    async def chain(self, length: int) -> list[UUID]:
        """A comment, a reply to it, a reply to that …"""
        said: list[UUID] = []
        for _ in range(length):
            said.append(await self.say(said[-1] if said else None))
        return said

    async def count(self) -> int:
        """How many comments the post says it has."""
        count: int = (await self.ada.get(f"/posts/{self.post_id}")).json()["comments_count"]
        return count

    async def listed(self, query: str = "", browser: Browser | None = None) -> list[Any]:
        """The items of the first page of the thread."""
        answer = await (browser or self.ada).get(f"{self.path}?{query}")
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items


@pytest.fixture
async def talk(member: Member, connection: AsyncConnection) -> Talk:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    return Talk(ada, bob, await make_post(connection, bob), connection)
