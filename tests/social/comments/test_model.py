"""Whatever is said, deleted and liked, a thread is what a simple model of it says."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.social.comments.test_threads import everything
from tests.support.browser import Browser
from tests.support.factories import make_post

from wxc.social.comments.threads import ThreadShape

pytestmark = pytest.mark.unmeasured  # the same ways again and again: others measure them

Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["say", "reply", "reply", "reply", "delete", "delete", "like", "unlike"]),
        st.integers(0, 1),
        st.integers(0, 50),
    ),
    min_size=4,
    max_size=28,
)
SHAPES = st.builds(ThreadShape, st.booleans(), st.integers(0, 3), st.integers(1, 3))


@dataclass
class Said:
    """A comment as the model knows it."""

    id: str
    author: int | None
    replies: "list[Said]" = field(default_factory=list)
    likers: set[int] = field(default_factory=set)

    def walk(self, *, oldest_first: bool) -> "list[Said]":
        order = self.replies if oldest_first else self.replies[::-1]
        return [self, *(one for reply in order for one in reply.walk(oldest_first=oldest_first))]


class Model:
    """What should be under the post; the root stands for the post itself."""

    def __init__(self, people: list[Browser], path: str) -> None:
        self.people = people
        self.path = path
        self.root = Said("", None)

    def all(self, *, oldest_first: bool = True) -> list[Said]:
        return self.root.walk(oldest_first=oldest_first)[1:]

    async def take(self, step: Step) -> None:
        what, person, number = step
        said = self.all()
        chosen = said[number % len(said)] if said else None
        if what == "say" or (what == "reply" and chosen is None):
            await self.say(person, self.root)
        elif chosen is not None:
            await {
                "reply": self.say,
                "delete": self.delete,
                "like": self.like,
                "unlike": self.unlike,
            }[what](person, chosen)

    async def say(self, person: int, parent: Said) -> None:
        body = {"body": "x", "parent_id": parent.id or None}
        answer = await self.people[person].post(self.path, json=body)
        if parent.id and parent.author is None:
            assert answer.status_code == 409
            return
        assert answer.status_code == 201, answer.text
        parent.replies.append(Said(answer.json()["id"], person))

    async def delete(self, person: int, said: Said) -> None:
        answer = await self.people[person].delete(f"/comments/{said.id}")
        if said.author is None:
            assert answer.status_code == 404
        elif person not in (said.author, 0):  # the first has written the post
            assert answer.status_code == 403
        else:
            assert answer.status_code == 204
            said.author = None
            said.likers.clear()
            self._sweep(self.root)

    async def like(self, person: int, said: Said) -> None:
        await self._set_like("POST", person, said)

    async def unlike(self, person: int, said: Said) -> None:
        await self._set_like("DELETE", person, said)

    async def _set_like(self, method: str, person: int, said: Said) -> None:
        answer = await self.people[person].request(method, f"/comments/{said.id}/like")
        if said.author is None:
            assert answer.status_code == 404
            return
        (said.likers.add if method == "POST" else said.likers.discard)(person)
        wanted = {"liked": method == "POST", "likes_count": len(said.likers)}
        assert answer.json() == wanted

    def _sweep(self, said: Said) -> None:
        """Tombstones without replies go."""
        for reply in said.replies:
            self._sweep(reply)
        said.replies = [one for one in said.replies if one.author is not None or one.replies]


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
async def test_a_thread_is_what_was_said_and_not_deleted(
    people: list[Browser],
    connection: AsyncConnection,
    steps: list[Step],
    shape: ThreadShape,
    limit: int,
) -> None:
    post: UUID = await make_post(connection, people[0].id)
    model = Model(people, f"/posts/{post}/comments")
    for step in steps:
        await model.take(step)

    sort = "oldest" if shape.oldest_first else "newest"
    query = f"limit={limit}&sort={sort}&depth={shape.depth}&branch={shape.branch}"
    reached = await everything(people[1], model.path, query)
    whole = (await people[1].get(f"{model.path}?sort={sort}&limit=100&depth=20&branch=50")).json()

    wanted = model.all(oldest_first=shape.oldest_first)
    assert [item["id"] for item in whole["items"]] == [said.id for said in wanted]
    assert sorted(item["id"] for item in reached) == sorted(said.id for said in wanted)
    for item, said in zip(whole["items"], wanted, strict=True):
        assert item["deleted"] == (said.author is None)
        assert item["likes_count"] == len(said.likers)
        assert item["viewer"]["liked"] == (1 in said.likers)
        assert item["replies_count"] == sum(one.author is not None for one in said.replies)
        assert item["replies_cursor"] is None
    live = sum(said.author is not None for said in wanted)
    assert (await people[0].get(f"/posts/{post}")).json()["comments_count"] == live
