"""Random acts of a few people, and a small model of what each of them should have been told."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import Member
from tests.support.browser import Browser

pytestmark = pytest.mark.unmeasured  # the same ways again and again: others measure them

NAMES = ("ada", "bob", "kim")
Act = tuple[str, str, str]


@dataclass
class Told:
    """One notification, as the model keeps it."""

    type: str
    actor: str
    recipient: str
    subject: str
    is_hidden: bool = False
    is_read: bool = False


@dataclass
class Model:
    """What was told, in order; muting hides, blocking removes."""

    told: list[Told] = field(default_factory=list)
    muted: set[tuple[str, str]] = field(default_factory=set)
    blocked: set[tuple[str, str]] = field(default_factory=set)
    follows: set[tuple[str, str]] = field(default_factory=set)
    likes: set[tuple[str, str]] = field(default_factory=set)

    def is_apart(self, one: str, other: str) -> bool:
        return bool({(one, other), (other, one)} & self.blocked)

    def do(self, kind: str, actor: str, other: str) -> None:
        getattr(self, kind)(actor, other)

    def follow(self, actor: str, other: str) -> None:
        if actor != other and not self.is_apart(actor, other):
            if (actor, other) not in self.follows:
                self._tell("follow", actor, other, other)
            self.follows.add((actor, other))

    def unfollow(self, actor: str, other: str) -> None:
        if not self.is_apart(actor, other) and (actor, other) in self.follows:
            self.follows.discard((actor, other))
            self._hide("follow", actor, other)

    def like(self, actor: str, other: str) -> None:
        if not self.is_apart(actor, other):
            if (actor, other) not in self.likes and actor != other:
                self._tell("post_like", actor, other, f"post of {other}")
            self.likes.add((actor, other))

    def unlike(self, actor: str, other: str) -> None:
        if not self.is_apart(actor, other) and (actor, other) in self.likes:
            self.likes.discard((actor, other))
            self._hide("post_like", actor, other)

    def mute(self, actor: str, other: str) -> None:
        if actor != other and self._is_known(actor, other):
            self.muted.add((actor, other))

    def unmute(self, actor: str, other: str) -> None:
        if self._is_known(actor, other):
            self.muted.discard((actor, other))

    def block(self, actor: str, other: str) -> None:
        if actor == other or not self._is_known(actor, other) or (actor, other) in self.blocked:
            return
        self.blocked.add((actor, other))
        self.follows -= {(actor, other), (other, actor)}
        self.told = [one for one in self.told if {one.actor, one.recipient} != {actor, other}]

    def unblock(self, actor: str, other: str) -> None:
        if self._is_known(actor, other):
            self.blocked.discard((actor, other))

    def read(self, actor: str, _other: str) -> None:
        for one in self.told:
            if one.recipient == actor and self._is_shown(one):
                one.is_read = True

    def groups(self, name: str) -> list[tuple[str, list[str], bool]]:
        """Type, actors and whether it is unread, of each group, the newest first."""
        found: dict[tuple[str, str], list[Told]] = {}
        for one in reversed(self.told):
            if one.recipient == name and self._is_shown(one):
                found.setdefault((one.type, one.subject), []).append(one)
        return [
            (type_, [one.actor for one in ones], not all(one.is_read for one in ones))
            for (type_, _), ones in found.items()
        ]

    def _is_known(self, actor: str, other: str) -> bool:
        return (other, actor) not in self.blocked or (actor, other) in self.blocked

    def _is_shown(self, one: Told) -> bool:
        return (
            not one.is_hidden
            and (one.recipient, one.actor) not in self.muted
            and not self.is_apart(one.recipient, one.actor)
        )

    def _tell(self, type_: str, actor: str, recipient: str, subject: str) -> None:
        for one in self.told:
            if (one.type, one.actor, one.recipient) == (type_, actor, recipient):
                one.is_hidden = False
                return
        self.told.append(Told(type_, actor, recipient, subject))

    def _hide(self, type_: str, actor: str, recipient: str) -> None:
        for one in self.told:
            if (one.type, one.actor, one.recipient) == (type_, actor, recipient):
                one.is_hidden = True


REQUESTS: dict[str, tuple[str, str]] = {
    "follow": ("POST", "/users/{name}/follow"),
    "unfollow": ("DELETE", "/users/{name}/follow"),
    "like": ("POST", "/posts/{post}/like"),
    "unlike": ("DELETE", "/posts/{post}/like"),
    "mute": ("POST", "/users/{name}/mute"),
    "unmute": ("DELETE", "/users/{name}/mute"),
    "block": ("POST", "/users/{name}/block"),
    "unblock": ("DELETE", "/users/{name}/block"),
}
acts = st.lists(
    st.tuples(st.sampled_from([*REQUESTS, "read"]), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    max_size=25,
)


async def test_random_acts_are_told_as_the_model_says(member: Member) -> None:
    people = {name: await member(name) for name in NAMES}
    run = _runner(people)
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=12,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(acts)
    def check(sequence: list[Act]) -> None:
        asyncio.run_coroutine_threadsafe(run(sequence), loop).result()

    await asyncio.to_thread(check)


def _runner(people: dict[str, Browser]) -> Callable[[list[Act]], Coroutine[Any, Any, None]]:
    async def run(sequence: list[Act]) -> None:
        posts = await _begin(people)
        model = Model()
        for kind, actor, other in sequence:
            await _act(people[actor], kind, other, posts)
            model.do(kind, actor, other)
            for name, browser in people.items():
                page = (await browser.get("/notifications")).json()
                expected = model.groups(name)
                assert [_seen(group) for group in page["items"]] == expected, (kind, actor, other)
                assert page["unread_count"] == sum(is_unread for _, _, is_unread in expected)
        for post, author in zip(posts.values(), people.values(), strict=True):
            await author.delete(f"/posts/{post}")

    return run


async def _begin(people: dict[str, Browser]) -> dict[str, str]:
    """Nothing between them, and a post of each; who has heard of nothing."""
    for browser in people.values():
        for other in people:
            for kind in ("unblock", "unmute", "follow", "unfollow"):
                method, path = REQUESTS[kind]
                await browser.request(method, path.format(name=other))
    for browser in people.values():  # a block takes away what the two were told of one another
        for other in people:
            await browser.post(f"/users/{other}/block")
            await browser.delete(f"/users/{other}/block")
    return {
        name: str((await browser.post("/posts", json={"body": "hello"})).json()["id"])
        for name, browser in people.items()
    }


async def _act(browser: Browser, kind: str, other: str, posts: dict[str, str]) -> None:
    if kind == "read":
        items = (await browser.get("/notifications")).json()["items"]
        if items:
            await browser.post("/notifications/read", json={"up_to": items[0]["id"]})
        return
    method, path = REQUESTS[kind]
    answer = await browser.request(method, path.format(name=other, post=posts[other]))
    assert answer.status_code in (200, 403, 404, 422), answer.text


def _seen(group: dict[str, Any]) -> tuple[str, list[str], bool]:
    return group["type"], [one["username"] for one in group["actors"]], group["unread"]
