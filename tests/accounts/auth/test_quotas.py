"""Quotas of members: what counts, what does not, and what the answers say."""

from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_follow, make_like, make_post, make_user

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.models import User

LIMIT = 4


class Action(NamedTuple):
    """Something that a member may do only so often; `target` is new for each request."""

    policy: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    undo: str | None = None


ACTIONS = {
    "post": Action("posts-account", "POST", "/posts", {"body": "hello"}),
    "comment": Action("posts-account", "POST", "/posts/{post}/comments", {"body": "hello"}),
    "post edit": Action("posts-account", "PUT", "/posts/{own}", {"body": "{unique}"}),
    "comment edit": Action("posts-account", "PUT", "/comments/{reply}", {"body": "{unique}"}),
    "follow": Action(
        "follows-account", "POST", "/users/{other}/follow", undo="/users/{other}/follow"
    ),
    "post like": Action("likes-account", "POST", "/posts/{post}/like", undo="/posts/{post}/like"),
    "comment like": Action(
        "likes-account", "POST", "/comments/{comment}/like", undo="/comments/{comment}/like"
    ),
    "people": Action("searches-account", "GET", "/users?q=bob"),
    "exchanges": Action("searches-account", "GET", "/exchanges?lat=1&lon=2"),
    "report": Action(
        "reports-account",
        "POST",
        "/reports",
        {"target_type": "post", "target_id": "{post}", "reason": "spam"},
    ),
}
REPEATABLE = ["post", "comment", "report"]


@pytest.fixture
def config(config: Config) -> Config:
    names = [name for name in type(config).model_fields if name.endswith("s_per_account")]
    names.remove("limit_mails_per_account")
    assert len(names) == 7, names
    return config.model_copy(
        update=dict.fromkeys(names, f"{LIMIT} per 10 minutes; 300 per day")
        | {"limit_mentions_per_account": f"{LIMIT} per hour", "revocation_poll_interval": 600}
    )


@pytest.fixture(params=["Redis", "no Redis"])
def redis_is_down(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "no Redis")


class Scene:
    """A member, and others whose posts the member acts upon."""

    def __init__(self, ada: Browser, connection: AsyncConnection, names: dict[str, str]) -> None:
        self.ada = ada
        self.connection = connection
        self.names = names
        self.requests = 0

    async def act(
        self,
        action: Action,
        browser: Browser | None = None,
        key: str | None = None,
        csrf_token: str | None = None,
    ) -> httpx.Response:
        self.requests += 1
        names = self.names | {"unique": f"text {self.requests}"}
        body = action.body and {key: text.format(**names) for key, text in action.body.items()}
        options = {"json": body} if body else {}
        sent = {"Idempotency-Key": key, "X-CSRF-Token": csrf_token}
        headers = {name: value for name, value in sent.items() if value is not None}
        return await (browser or self.ada).request(
            action.method, action.path.format(**names), headers=headers, **options
        )


async def verify(connection: AsyncConnection) -> None:
    """Verify the addresses of all members; the next access token says so."""
    await connection.execute(update(User).values(email_verified_at=clock.now()))


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    """A member whose address is verified, in a session from after that."""
    ada = await member("ada")
    await verify(connection)
    assert (await ada.log_in("ada")).status_code == 200
    return ada


@pytest.fixture
async def scene(ada: Browser, connection: AsyncConnection) -> Scene:
    other = await make_user(connection, "other")
    post, own = await make_post(connection, other), await make_post(connection, ada.id)
    names = {
        "post": str(post),
        "own": str(own),
        "other": "other",
        "comment": str(await make_comment(connection, other, post)),
        "reply": str(await make_comment(connection, ada.id, post)),
    }
    return Scene(ada, connection, names)


@pytest.fixture(params=ACTIONS)
def action(request: pytest.FixtureRequest) -> Action:
    return ACTIONS[request.param]


def assert_limited(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests"), answer.text
    assert 1 <= int(answer.headers["retry-after"]) <= 3600


async def test_each_member_has_a_quota(
    scene: Scene, action: Action, member: Member, redis: RedisClient, redis_is_down: bool
) -> None:
    eve = await member("eve")
    redis.is_tripped = redis_is_down
    for number in range(LIMIT):
        answer = await scene.act(action)
        assert answer.is_success, answer.text
        assert f'"{action.policy}";q={LIMIT};w=600' in answer.headers["ratelimit-policy"]
        assert f'"{action.policy}";r={LIMIT - 1 - number};' in answer.headers["ratelimit"]

    refused = await scene.act(action)

    assert_limited(refused)
    assert f'"{action.policy}";r=0;' in refused.headers["ratelimit"]
    if "{own}" not in action.path and "{reply}" not in action.path:
        assert (await scene.act(action, eve)).is_success


async def test_members_have_half_of_each_quota_until_their_address_is_verified(
    scene: Scene, action: Action
) -> None:
    await scene.connection.execute(update(User).values(email_verified_at=None))
    await scene.ada.log_in("ada")
    answers = [await scene.act(action) for _ in range(LIMIT // 2)]
    assert all(answer.is_success for answer in answers)
    assert f"q={LIMIT // 2};w=600" in answers[0].headers["ratelimit-policy"]
    assert_limited(await scene.act(action))

    await verify(scene.connection)
    await scene.ada.log_in("ada")

    # What was done before still counts.
    answers = [await scene.act(action) for _ in range(LIMIT // 2)]
    assert all(answer.is_success for answer in answers)
    assert_limited(await scene.act(action))


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.undo])
async def test_undoing_does_not_count_and_is_not_limited(scene: Scene, name: str) -> None:
    action = ACTIONS[name]
    undo = Action("", "DELETE", str(action.undo))
    for _ in range(LIMIT):
        assert (await scene.act(action)).is_success
        assert (await scene.act(undo)).is_success

    assert_limited(await scene.act(action))
    assert (await scene.act(undo)).is_success


@pytest.mark.parametrize("name", REPEATABLE)
async def test_repeated_requests_do_not_count_and_are_answered_at_the_limit(
    scene: Scene, name: str
) -> None:
    action = ACTIONS[name]
    for number in range(LIMIT):
        for _ in range(3):
            answer = await scene.act(action, key=f"key_{number}")
            assert answer.status_code == 201, answer.text

    again = await scene.act(action, key="key_0")

    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert_limited(await scene.act(action, key="new"))
    assert_limited(await scene.act(action))


@pytest.mark.parametrize("name", [name for name in ACTIONS if name not in REPEATABLE])
async def test_a_key_that_the_route_does_not_take_lifts_no_limit(scene: Scene, name: str) -> None:
    for number in range(LIMIT):
        await scene.act(ACTIONS[name], key=f"key{number}")

    assert_limited(await scene.act(ACTIONS[name], key="new"))


async def test_a_request_without_the_csrf_token_does_not_count(
    scene: Scene, action: Action
) -> None:
    if action.method == "GET":
        return  # needs no token
    for _ in range(LIMIT):
        assert (await scene.act(action, csrf_token="forged")).status_code == 403

    assert (await scene.act(action)).is_success


async def test_posts_comments_and_their_edits_share_a_quota(scene: Scene) -> None:
    for name in ("post", "comment", "post edit", "comment edit"):
        assert (await scene.act(ACTIONS[name])).is_success

    for name in ("post", "comment", "post edit", "comment edit"):
        assert_limited(await scene.act(ACTIONS[name]))


@pytest.mark.parametrize("path", ["/posts", "/posts/{post}/comments"])
class TestMentions:
    async def test_a_text_whose_mentions_pass_the_limit_is_refused_whole(
        self, scene: Scene, path: str, member: Member
    ) -> None:
        bob = await member("bob")
        before = (await scene.ada.get("/users/ada")).json()["posts_count"]
        comments = (await scene.ada.get(f"/posts/{scene.names['post']}")).json()["comments_count"]

        refused = await self.write(scene, path, "@bob @kim @lin @other @more")

        assert_limited(refused)
        assert f'"mentions-account";r={LIMIT};' in refused.headers["ratelimit"]
        assert (await bob.get("/notifications")).json()["items"] == []
        assert (await scene.ada.get("/users/ada")).json()["posts_count"] == before
        post = (await scene.ada.get(f"/posts/{scene.names['post']}")).json()
        assert post["comments_count"] == comments

    async def test_mentions_of_others_count_once_a_text_and_own_ones_do_not(
        self, scene: Scene, path: str
    ) -> None:
        first = await self.write(scene, path, "@kim @KIM @lin @ada")
        assert f'"mentions-account";r={LIMIT - 2};' in first.headers["ratelimit"]
        assert '"posts-account";' in first.headers["ratelimit"]

        assert_limited(await self.write(scene, path, "@bob @kim @lin"))
        assert (await self.write(scene, path, "@bob @kim @ada")).status_code == 201
        assert_limited(await self.write(scene, path, "@bob"))

    async def test_edits_count_the_mentions_that_they_add(self, scene: Scene, path: str) -> None:
        written = await self.write(scene, path, "@kim")
        kind = "posts" if path == "/posts" else "comments"
        edit = f"/{kind}/{written.json()['id']}"

        more = await scene.ada.put(edit, json={"body": "@kim and @bob"})
        assert f'"mentions-account";r={LIMIT - 2};' in more.headers["ratelimit"]
        refused = await scene.ada.put(edit, json={"body": "@lin @moe @sue"})

        assert_limited(refused)
        assert (await scene.ada.get(edit)).json()["body"] == "@kim and @bob"

    async def write(self, scene: Scene, path: str, body: str) -> httpx.Response:
        return await scene.ada.post(path.format(**scene.names), json={"body": body})


async def test_anonymous_requests_have_no_quota(scene: Scene, stranger: Browser) -> None:
    for _ in range(LIMIT + 2):
        answer = await stranger.get("/users?q=bob")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_follows_and_likes_of_many_targets_are_limited(
    ada: Browser, connection: AsyncConnection
) -> None:
    statuses = []
    for _ in range(LIMIT + 1):
        author = await make_user(connection)
        await make_follow(connection, author, ada.id)
        post = await make_post(connection, author)
        await make_like(connection, author, post)
        statuses.append((await ada.post(f"/posts/{post}/like")).status_code)

    assert statuses == [200] * LIMIT + [429]
    assert (await ada.get(f"/posts/{uuid4()}")).status_code == 404


def test_the_quotas_are_those_of_the_contract() -> None:
    defaults = {
        name: Config.model_fields[name].default
        for name in Config.model_fields
        if name.endswith("s_per_account") and name != "limit_mails_per_account"
    }
    assert defaults == {
        "limit_posts_per_account": "30 per 10 minutes; 300 per day",
        "limit_mentions_per_account": "100 per hour",
        "limit_follows_per_account": "60 per hour",
        "limit_likes_per_account": "600 per hour",
        "limit_searches_per_account": "60 per minute",
        "limit_reports_per_account": "30 per hour",
        "limit_exports_per_account": "5 per hour",
    }
