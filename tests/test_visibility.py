"""The visibility matrix: the status of every operation for every relation, and no leaked content.

Olga owns the content, and Nina sends the requests. Every operation on a member or a resource has a
row in the matrix; a new route needs one too.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.conftest import Member
from tests.hostile.corpus import Operation, operations, operations_where
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.limits import UNLIMITED
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.models import Session, User

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

CANARY = "Zeisig"
"""A word in all texts of Olga and in her display name."""
NAMED = '"username":"olga"'

# The sender's relation to Olga. In the last two, Nina follows Olga, who is suspended or deleted.
RELATIONS = (
    *("anonymous", "owner", "follower", "stranger"),
    *("blocked", "blocker", "muting", "suspended", "deleted"),
)
_READ = "200 200 200 200  404 404 200 404 404"
_FOLLOW = "401 422 200 200  404 403 200 404 404"
_BLOCK_OR_MUTE = "401 422 200 200  404 200 200 404 404"
_CHANGE = "401 200 403 403  404 404 403 404 404"
_DELETE = "401 204 403 403  404 404 403 404 404"
_LIKE = "401 200 200 200  404 403 200 404 404"
_PUBLIC = "200 200 200 200  200 200 200 200 200"
_MEMBER = "401 200 200 200  200 200 200 200 200"
MATRIX = {
    "users_search_users": _PUBLIC,
    "users_get_profile": "200 200 200 200  404 200 200 404 404",
    "relationships_follow_user": _FOLLOW,
    "relationships_unfollow_user": _FOLLOW,
    "relationships_list_followers": _READ,
    "relationships_list_following": _READ,
    "relationships_block_user": _BLOCK_OR_MUTE,
    "relationships_unblock_user": _BLOCK_OR_MUTE,
    "relationships_list_blocks": _MEMBER,
    "relationships_mute_user": _BLOCK_OR_MUTE,
    "relationships_unmute_user": _BLOCK_OR_MUTE,
    "relationships_list_mutes": _MEMBER,
    "posts_list_posts": _READ,
    "posts_get_post": _READ,
    "posts_edit_post": _CHANGE,
    "posts_delete_post": _DELETE,
    "likes_like_post": _LIKE,
    "likes_unlike_post": _LIKE,
    "likes_list_likes": _READ,
    "comments_write_comment": "401 201 201 201  404 403 201 404 404",
    "comments_list_comments": _READ,
    "comments_get_comment": _READ,
    "comments_edit_comment": _CHANGE,
    "comments_delete_comment": _DELETE,
    "comments_like_comment": _LIKE,
    "comments_unlike_comment": _LIKE,
    "comments_list_replies": _READ,
    "feed_read_feed": _MEMBER,
    "exchange_search_exchanges": _PUBLIC,
    "exchange_get_exchange": _READ,
    "exchange_get_quote": _READ,
    "exchange_list_rate_history": _READ,
    "exchange_stream_exchange": _READ,
    "notifications_list_notifications": _MEMBER,
    "notifications_mark_read": _MEMBER,
    "reports_write_report": "401 201 201 201  201 201 201 404 404",
    "sessions_end_session": "401 204 404 404  404 404 404 404 404",
}

# Operations that show Olga to a follower: proof that the search for the canary works.
SHOWN_TO_FOLLOWERS = {
    "feed_read_feed",
    "users_search_users",
    "users_get_profile",
    "relationships_list_followers",
    "relationships_list_following",
    "posts_list_posts",
    "posts_get_post",
    "likes_list_likes",
    "comments_list_comments",
    "comments_get_comment",
    "comments_list_replies",
    "exchange_search_exchanges",
    "exchange_get_exchange",
    "exchange_stream_exchange",
    "notifications_list_notifications",
    "settings_export_account",
}
# Blocked and muted members are on the lists of Nina, and have a profile with the undo action.
SHOWN = {
    "blocker": {
        "users_get_profile",
        "relationships_list_blocks",
        "settings_export_account",
    },
    "muting": SHOWN_TO_FOLLOWERS - {"feed_read_feed", "notifications_list_notifications"}
    | {"relationships_list_mutes"},
}


@dataclass
class Scene:
    """Olga with her content, Nina, Theo, and the resources to request."""

    olga: Browser
    nina: Browser
    theo: Browser
    anonymous: Browser
    posts: list[str]
    comments: list[str]
    session: UUID

    def sender(self, relation: str) -> Browser:
        return {"anonymous": self.anonymous, "owner": self.olga}.get(relation, self.nina)

    @property
    def hers(self) -> dict[str, str]:
        """The members and resources that the operations of the matrix name."""
        named = {"post_id": self.posts[0], "comment_id": self.comments[0]}
        return {"username": "olga", "session_id": str(self.session), "q": "olga", **named}


UNKNOWN = {"username": "nobody_here", "q": "nobody"}


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update=UNLIMITED)


@pytest.fixture
async def scene(
    app: FastAPI, member: Member, stranger: Browser, connection: AsyncConnection
) -> Scene:
    """Olga interacts with Nina and Theo in every way: follows, mentions, comments, likes."""
    app.state.services.events.end_streams()  # streams end after their first events
    olga, nina, theo = [await member(name) for name in ("olga", "nina", "theo")]
    await olga.put("/settings", json={"display_name": f"{CANARY} O.", "bio": f"{CANARY}!"})
    rates = [{"currency": "JPY", "unit": 100, "we_buy": "0.9", "we_sell": "0.92"}]
    board: dict[str, Any] = {"name": f"{CANARY} exchange", "base_currency": "SGD", "rates": rates}
    board |= {"location": {"lat": 1.28, "lon": 103.85}}
    assert (await olga.put("/exchange", json=board)).status_code == 201
    async with Browser(app) as elsewhere:  # a second session, to be ended
        await elsewhere.log_in("olga")
    last = select(Session.id).where(Session.user_id == olga.id).order_by(Session.id.desc()).limit(1)
    session = (await connection.scalars(last)).one()
    for one, other in (("olga", theo), ("olga", nina), ("theo", olga)):
        assert (await other.post(f"/users/{one}/follow")).is_success
    posts = [
        await _written(browser, "/posts", body)
        for browser, body in ((olga, f"{CANARY} for @nina"), (nina, "hello"), (theo, "@olga"))
    ]
    await nina.delete("/users/olga/follow")
    assert (await olga.post("/users/nina/follow")).is_success
    assert (await olga.post("/users/theo/follow")).is_success
    comments = [await _commented(olga, posts[2])]
    for post in posts:
        above = await _commented(nina, post, body="well")
        hers = await _commented(olga, post, above)
        comments += [above, hers, await _commented(theo, post, hers, body="quite")]
        for browser in (olga, theo):
            for liked in (f"/posts/{post}", f"/comments/{above}"):
                assert (await browser.post(f"{liked}/like")).is_success
    return Scene(olga, nina, theo, stranger, posts, comments, session)


async def _written(browser: Browser, path: str, body: str, **fields: Any) -> str:
    answer = await browser.post(path, json={"body": body, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _commented(
    browser: Browser, post: str, above: str | None = None, body: str = f"{CANARY} of @nina"
) -> str:
    return await _written(browser, f"/posts/{post}/comments", body, parent_id=above)


Become = Callable[[str], Awaitable[None]]


@pytest.fixture
def become(scene: Scene, connection: AsyncConnection) -> Become:
    """Brings Nina into a relation to Olga, through the API where possible."""

    async def become(relation: str) -> None:
        if relation in ("follower", "suspended", "deleted"):
            assert (await scene.nina.post("/users/olga/follow")).is_success
        if relation == "blocked":
            assert (await scene.olga.post("/users/nina/block")).is_success
        if relation == "blocker":
            assert (await scene.nina.post("/users/olga/block")).is_success
        if relation == "muting":
            assert (await scene.nina.post("/users/olga/mute")).is_success
        if relation == "suspended":
            suspended = update(User).where(User.username == "olga")
            await connection.execute(suspended.values(suspended_at=clock.now()))
        if relation == "deleted":
            body = {"current_password": PASSWORD}
            assert (await scene.olga.delete("/settings", json=body)).status_code == 204

    return become


def _has_a_subject(operation: Operation) -> bool:
    """Whether it names a member or resource in path, query or body, or is a list."""
    slots = [*operation.parameters("path"), *operation.parameters("query")]
    if operation.body_schema:
        slots += operation.slots
    is_id = any(slot.string and slot.string.get("format") == "uuid" for slot in slots)
    is_list = any(slot.path == ("cursor",) for slot in slots)
    is_named = operation.parameters("path") and not operation.takes_token
    return bool(is_named or is_list or is_id)


def test_every_operation_on_a_member_or_resource_has_a_row() -> None:
    assert MATRIX.keys() == {str(one) for one in operations_where(_has_a_subject)}
    assert {len(row.split()) for row in MATRIX.values()} == {len(RELATIONS)}


@pytest.mark.parametrize("relation", RELATIONS)
async def test_responses_follow_the_visibility_matrix_and_invisible_equals_unknown(
    relation: str, scene: Scene, become: Become, connection: AsyncConnection
) -> None:
    await become(relation)
    browser, column = scene.sender(relation), RELATIONS.index(relation)
    expected = {name: int(row.split()[column]) for name, row in MATRIX.items()}

    answered = {}
    for operation in operations_where(_has_a_subject):
        async with connection.begin_nested() as undone:
            answer = await _send(browser, operation, scene.hers)
            await undone.rollback()
        answered[str(operation)] = answer.status_code
        if answer.status_code == 404:
            unknown = await _send(browser, operation, UNKNOWN)
            assert _comparable(answer) == _comparable(unknown), str(operation)

    assert answered == expected


async def _send(browser: Browser, operation: Operation, named: dict[str, str]) -> httpx.Response:
    """Send the operation for the named resources, and for unknown ones where none is named."""
    path = operation.path
    for slot in operation.parameters("path"):
        name = str(slot.path[0])
        path = path.replace(f"{{{name}}}", named.get(name) or str(new_id()))
    query = {name: named.get(name) or example for name, example in operation.needed.items()}
    body = _body(operation, named)
    options = {} if body is None else {"json": body}
    return await browser.request(operation.method, path, params=query, **options)


def _body(operation: Operation, named: dict[str, str]) -> dict[str, Any] | None:
    if operation.body_schema is None:
        return None
    body = dict(operation.examples[0])
    body.pop("parent_id", None)
    if "target_id" in body:
        body |= {"target_type": "post", "target_id": named.get("post_id") or str(new_id())}
    return body


def _comparable(answer: httpx.Response) -> dict[str, Any]:
    """The problem without the members that depend on the request."""
    problem: dict[str, Any] = answer.json()
    return {name: problem[name] for name in problem.keys() - {"instance", "request_id"}}


@pytest.mark.parametrize("relation", ["blocked", "blocker", "muting", "suspended", "deleted"])
async def test_hidden_content_is_in_no_response(
    relation: str, scene: Scene, become: Become
) -> None:
    assert (await scene.nina.post("/users/olga/follow")).is_success
    assert await _shown_to(scene.nina, scene) == SHOWN_TO_FOLLOWERS

    await become(relation)

    assert await _shown_to(scene.nina, scene) == SHOWN.get(relation, set())


@pytest.mark.parametrize("relation", ["suspended", "deleted"])
async def test_suspended_or_deleted_member_is_invisible_to_everyone(
    relation: str, scene: Scene, become: Become
) -> None:
    await become(relation)

    for browser in (scene.anonymous, scene.theo):
        assert await _shown_to(browser, scene) == set()


async def _shown_to(browser: Browser, scene: Scene) -> set[str]:
    """The GET operations whose response contains anything of Olga, for any parameters."""
    shown = set()
    for operation in operations():
        if operation.method == "GET" and not operation.takes_token:
            for named in _all_named(operation, scene):
                answer = await _send(browser, operation, named)
                assert answer.status_code in (200, 401, 404, 503), answer.text
                received = f"{answer.text} {answer.headers}"
                if CANARY in received or NAMED in received.replace(" ", ""):
                    shown.add(str(operation))
    return shown


def _all_named(operation: Operation, scene: Scene) -> Iterator[dict[str, str]]:
    """Every combination of values for the parameters of the operation."""
    values = {
        "username": ["olga", "nina", "theo"],
        "post_id": scene.posts,
        "comment_id": scene.comments,
        "q": ["olga", CANARY, f"{CANARY} O.", "zeisg o"],
    }
    names = [str(slot.path[0]) for slot in operation.parameters("path")]
    names += [name for name in operation.needed if name in values]
    for combination in product(*(values.get(name, [str(new_id())]) for name in names)):
        yield dict(zip(names, combination, strict=True))
