from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_post, make_user

UNKNOWN_ID = UUID("01900000-0000-7000-8000-000000000000")


class ThreadScene:
    """The thread of a post by Bob; Ada reads and writes it."""

    def __init__(self, ada: Browser, bob: UUID, post_id: UUID, connection: AsyncConnection) -> None:
        self.ada = ada
        self.bob = bob
        self.post_id = post_id
        self.path = f"/posts/{post_id}/comments"
        self._connection = connection

    async def add_comment(self, parent_id: UUID | None = None, author: UUID | None = None) -> UUID:
        """Insert a comment by `author`, by default Bob."""
        return await make_comment(self._connection, author or self.bob, self.post_id, parent_id)

    async def add_reply_chain(self, length: int) -> list[UUID]:
        """Insert a comment, a reply to it, a reply to that reply and so on."""
        chain: list[UUID] = []
        for _ in range(length):
            chain.append(await self.add_comment(chain[-1] if chain else None))
        return chain

    async def comments_count(self) -> int:
        """`comments_count` of the post."""
        count: int = (await self.ada.get(f"/posts/{self.post_id}")).json()["comments_count"]
        return count

    async def list_items(self, query: str = "", browser: Browser | None = None) -> list[Any]:
        """The items of the first page of the thread."""
        answer = await (browser or self.ada).get(f"{self.path}?{query}")
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items


async def add_tombstone(thread: ThreadScene) -> UUID:
    """Delete a comment that has a reply, and return the id of the tombstone."""
    comment = await thread.add_comment(author=thread.ada.id)
    await thread.add_comment(comment)
    await thread.ada.delete(f"/comments/{comment}")
    return comment


@pytest.fixture
async def thread(member: Member, connection: AsyncConnection) -> ThreadScene:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    return ThreadScene(ada, bob, await make_post(connection, bob), connection)
