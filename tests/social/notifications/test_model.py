"""Notifications after random actions of three users match a small model."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import Member
from tests.support.browser import Browser

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

NAMES = ("ada", "bob", "kim")
Action = tuple[str, str, str]


@dataclass
class ExpectedNotification:
    type: str
    actor: str
    recipient: str
    subject: str
    is_hidden: bool = False
    is_read: bool = False


@dataclass
class Model:
    """The notifications in order; a mute hides them, a block deletes them."""

    notifications: list[ExpectedNotification] = field(default_factory=list)
    muted: set[tuple[str, str]] = field(default_factory=set)
    blocked: set[tuple[str, str]] = field(default_factory=set)
    follows: set[tuple[str, str]] = field(default_factory=set)
    likes: set[tuple[str, str]] = field(default_factory=set)

    def has_block_between(self, user: str, other: str) -> bool:
        return bool({(user, other), (other, user)} & self.blocked)

    def apply(self, kind: str, actor: str, other: str) -> None:
        getattr(self, kind)(actor, other)

    def follow(self, actor: str, other: str) -> None:
        if actor != other and not self.has_block_between(actor, other):
            if (actor, other) not in self.follows:
                self._notify("follow", actor, other, other)
            self.follows.add((actor, other))

    def unfollow(self, actor: str, other: str) -> None:
        if not self.has_block_between(actor, other) and (actor, other) in self.follows:
            self.follows.discard((actor, other))
            self._hide("follow", actor, other)

    def like(self, actor: str, other: str) -> None:
        if not self.has_block_between(actor, other):
            if (actor, other) not in self.likes and actor != other:
                self._notify("post_like", actor, other, f"post of {other}")
            self.likes.add((actor, other))

    def unlike(self, actor: str, other: str) -> None:
        if not self.has_block_between(actor, other) and (actor, other) in self.likes:
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
        self.notifications = [
            notification
            for notification in self.notifications
            if {notification.actor, notification.recipient} != {actor, other}
        ]

    def unblock(self, actor: str, other: str) -> None:
        if self._is_known(actor, other):
            self.blocked.discard((actor, other))

    def read(self, actor: str, _other: str) -> None:
        for notification in self.notifications:
            if notification.recipient == actor and self._is_shown(notification):
                notification.is_read = True

    def groups(self, name: str) -> list[tuple[str, list[str], bool]]:
        """Type, actors and unread state of each group, newest first."""
        found: dict[tuple[str, str], list[ExpectedNotification]] = {}
        for notification in reversed(self.notifications):
            if notification.recipient == name and self._is_shown(notification):
                found.setdefault((notification.type, notification.subject), []).append(notification)
        return [
            (
                type_,
                [notification.actor for notification in group],
                not all(notification.is_read for notification in group),
            )
            for (type_, _), group in found.items()
        ]

    def _is_known(self, actor: str, other: str) -> bool:
        return (other, actor) not in self.blocked or (actor, other) in self.blocked

    def _is_shown(self, notification: ExpectedNotification) -> bool:
        return (
            not notification.is_hidden
            and (notification.recipient, notification.actor) not in self.muted
            and not self.has_block_between(notification.recipient, notification.actor)
        )

    def _notify(self, type_: str, actor: str, recipient: str, subject: str) -> None:
        for notification in self.notifications:
            if (notification.type, notification.actor, notification.recipient) == (
                type_,
                actor,
                recipient,
            ):
                notification.is_hidden = False
                return
        self.notifications.append(ExpectedNotification(type_, actor, recipient, subject))

    def _hide(self, type_: str, actor: str, recipient: str) -> None:
        for notification in self.notifications:
            if (notification.type, notification.actor, notification.recipient) == (
                type_,
                actor,
                recipient,
            ):
                notification.is_hidden = True


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
actions = st.lists(
    st.tuples(st.sampled_from([*REQUESTS, "read"]), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    max_size=25,
)


async def test_notifications_match_the_model_after_random_actions(member: Member) -> None:
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
    @given(actions)
    def check(sequence: list[Action]) -> None:
        asyncio.run_coroutine_threadsafe(run(sequence), loop).result()

    await asyncio.to_thread(check)


def _runner(people: dict[str, Browser]) -> Callable[[list[Action]], Coroutine[Any, Any, None]]:
    async def run(sequence: list[Action]) -> None:
        posts = await _reset(people)
        model = Model()
        for kind, actor, other in sequence:
            await _perform(people[actor], kind, other, posts)
            model.apply(kind, actor, other)
            for name, browser in people.items():
                page = (await browser.get("/notifications")).json()
                expected = model.groups(name)
                assert [_as_expected(group) for group in page["items"]] == expected, (
                    kind,
                    actor,
                    other,
                )
                assert page["unread_count"] == sum(is_unread for _, _, is_unread in expected)
        for post, author in zip(posts.values(), people.values(), strict=True):
            await author.delete(f"/posts/{post}")

    return run


async def _reset(people: dict[str, Browser]) -> dict[str, str]:
    """Reset all relations and notifications; return a new post of each user."""
    for browser in people.values():
        for other in people:
            for kind in ("unblock", "unmute", "follow", "unfollow"):
                method, path = REQUESTS[kind]
                await browser.request(method, path.format(name=other))
    for browser in people.values():  # a block deletes the notifications about each other
        for other in people:
            await browser.post(f"/users/{other}/block")
            await browser.delete(f"/users/{other}/block")
    return {
        name: str((await browser.post("/posts", json={"body": "hello"})).json()["id"])
        for name, browser in people.items()
    }


async def _perform(browser: Browser, kind: str, other: str, posts: dict[str, str]) -> None:
    if kind == "read":
        items = (await browser.get("/notifications")).json()["items"]
        if items:
            await browser.post("/notifications/read", json={"up_to": items[0]["id"]})
        return
    method, path = REQUESTS[kind]
    answer = await browser.request(method, path.format(name=other, post=posts[other]))
    assert answer.status_code in (200, 403, 404, 422), answer.text


def _as_expected(group: dict[str, Any]) -> tuple[str, list[str], bool]:
    return (
        group["type"],
        [notification["username"] for notification in group["actors"]],
        group["unread"],
    )
