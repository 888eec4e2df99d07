"""After random comments, deletions and likes, a thread equals a simple model in memory."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.social.comments.test_threads import fetch_all_items
from tests.support.browser import Browser
from tests.support.factories import make_post

from wxc.social.comments.threads import ThreadShape

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["comment", "reply", "reply", "reply", "delete", "delete", "like", "unlike"]
        ),
        st.integers(0, 1),
        st.integers(0, 50),
    ),
    min_size=4,
    max_size=28,
)
SHAPES = st.builds(ThreadShape, st.booleans(), st.integers(0, 3), st.integers(1, 3))


@dataclass
class ExpectedComment:
    id: str
    author: int | None
    replies: "list[ExpectedComment]" = field(default_factory=list)
    likers: set[int] = field(default_factory=set)

    def walk(self, *, oldest_first: bool) -> "list[ExpectedComment]":
        order = self.replies if oldest_first else self.replies[::-1]
        return [
            self,
            *(node for reply in order for node in reply.walk(oldest_first=oldest_first)),
        ]


class Model:
    """The expected thread of a post; `root` represents the post itself."""

    def __init__(self, people: list[Browser], path: str) -> None:
        self.people = people
        self.path = path
        self.root = ExpectedComment("", None)

    def all(self, *, oldest_first: bool = True) -> list[ExpectedComment]:
        return self.root.walk(oldest_first=oldest_first)[1:]

    async def apply(self, step: Step) -> None:
        action, person, number = step
        comments = self.all()
        chosen = comments[number % len(comments)] if comments else None
        if action == "comment" or (action == "reply" and chosen is None):
            await self.add_comment(person, self.root)
        elif chosen is not None:
            await {
                "reply": self.add_comment,
                "delete": self.delete,
                "like": self.like,
                "unlike": self.unlike,
            }[action](person, chosen)

    async def add_comment(self, person: int, parent: ExpectedComment) -> None:
        body = {"body": "x", "parent_id": parent.id or None}
        answer = await self.people[person].post(self.path, json=body)
        if parent.id and parent.author is None:
            assert answer.status_code == 409
            return
        assert answer.status_code == 201, answer.text
        parent.replies.append(ExpectedComment(answer.json()["id"], person))

    async def delete(self, person: int, comment: ExpectedComment) -> None:
        answer = await self.people[person].delete(f"/comments/{comment.id}")
        if comment.author is None:
            assert answer.status_code == 404
        elif person not in (comment.author, 0):  # user 0 is the author of the post
            assert answer.status_code == 403
        else:
            assert answer.status_code == 204
            comment.author = None
            comment.likers.clear()
            self._remove_childless_tombstones(self.root)

    async def like(self, person: int, comment: ExpectedComment) -> None:
        await self._set_like("POST", person, comment)

    async def unlike(self, person: int, comment: ExpectedComment) -> None:
        await self._set_like("DELETE", person, comment)

    async def _set_like(self, method: str, person: int, comment: ExpectedComment) -> None:
        answer = await self.people[person].request(method, f"/comments/{comment.id}/like")
        if comment.author is None:
            assert answer.status_code == 404
            return
        (comment.likers.add if method == "POST" else comment.likers.discard)(person)
        expected = {"liked": method == "POST", "likes_count": len(comment.likers)}
        assert answer.json() == expected

    def _remove_childless_tombstones(self, comment: ExpectedComment) -> None:
        """A tombstone is removed with its last reply."""
        for reply in comment.replies:
            self._remove_childless_tombstones(reply)
        comment.replies = [
            reply for reply in comment.replies if reply.author is not None or reply.replies
        ]


@pytest.fixture
async def people(member: Member) -> list[Browser]:
    return [await member("ada"), await member("bob")]


@given(steps=STEPS, shape=SHAPES, limit=st.integers(1, 3))
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_thread_matches_the_model_after_random_steps(
    people: list[Browser],
    connection: AsyncConnection,
    steps: list[Step],
    shape: ThreadShape,
    limit: int,
) -> None:
    post: UUID = await make_post(connection, people[0].id)
    model = Model(people, f"/posts/{post}/comments")
    for step in steps:
        await model.apply(step)

    sort = "oldest" if shape.oldest_first else "newest"
    query = f"limit={limit}&sort={sort}&depth={shape.depth}&branch={shape.branch}"
    reached = await fetch_all_items(people[1], model.path, query)
    whole = (await people[1].get(f"{model.path}?sort={sort}&limit=100&depth=20&branch=50")).json()

    expected = model.all(oldest_first=shape.oldest_first)
    assert [item["id"] for item in whole["items"]] == [comment.id for comment in expected]
    assert sorted(item["id"] for item in reached) == sorted(comment.id for comment in expected)
    for item, comment in zip(whole["items"], expected, strict=True):
        assert item["deleted"] == (comment.author is None)
        assert item["likes_count"] == len(comment.likers)
        assert item["viewer"]["liked"] == (1 in comment.likers)
        assert item["replies_count"] == sum(reply.author is not None for reply in comment.replies)
        assert item["replies_cursor"] is None
    live = sum(comment.author is not None for comment in expected)
    assert (await people[0].get(f"/posts/{post}")).json()["comments_count"] == live
