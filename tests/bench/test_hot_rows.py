import asyncio
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.app import running_app
from tests.support.factories import make_post, make_user

from bench import hot_rows, many_followers
from bench.data import fetch_rows, undo_writes
from bench.members import insert_sessions
from wxc.core.config import Config

FOLLOWERS = 3


async def test_inserted_followers_follow_the_author_and_are_signed_in_without_a_password(
    fresh_database_url: str, config: Config
) -> None:
    post = await _post_by(fresh_database_url, many_followers.POPULAR)
    await asyncio.to_thread(many_followers.insert_followers, fresh_database_url, FOLLOWERS)
    config = config.model_copy(update={"database_url": fresh_database_url})

    headers = await asyncio.to_thread(_sign_in, config)
    async with running_app(config) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            author = (await client.get(f"/users/{many_followers.POPULAR}")).json()
            feed = (await client.get("/feeds", headers=headers[0])).json()
            likes = [await client.post(f"/posts/{post}/like", headers=liker) for liker in headers]

    assert author["followers_count"] == FOLLOWERS
    assert [item["post"]["id"] for item in feed["items"]] == [str(post)]
    assert [like.json() for like in likes] == [
        {"liked": True, "likes_count": count} for count in range(1, FOLLOWERS + 1)
    ]
    counts = await asyncio.to_thread(fetch_rows, fresh_database_url, hot_rows._COUNTS, post)
    assert tuple(counts[0]) == (FOLLOWERS, FOLLOWERS, FOLLOWERS)
    for statement in (hot_rows._DELETE_LIKES, hot_rows._DELETE_NOTIFICATIONS):
        await asyncio.to_thread(fetch_rows, fresh_database_url, statement, post)
    counts = await asyncio.to_thread(fetch_rows, fresh_database_url, hot_rows._COUNTS, post)
    assert tuple(counts[0]) == (0, 0, 0)


async def test_posts_written_during_a_measurement_are_deleted(
    fresh_database_url: str,
) -> None:
    kept_post = await _post_by(fresh_database_url, "ada")

    def measure() -> None:
        with undo_writes(fresh_database_url):
            asyncio.run(_post_by(fresh_database_url, "bob"))

    await asyncio.to_thread(measure)

    users = await asyncio.to_thread(fetch_rows, fresh_database_url, _COUNTS)
    assert [tuple(row) for row in users] == [("ada", 1, [kept_post]), ("bob", 0, [None])]


def _sign_in(config: Config) -> list[dict[str, str]]:
    settings = {
        "ENVIRONMENT": config.environment,
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": config.secret_key.get_secret_value(),
        "JWT_SECRET_KEY": config.jwt_secret_key.get_secret_value(),
        "COOKIE_SECURE": "false",
    }
    members = many_followers.follower_ids(config.database_url, FOLLOWERS)
    return list(insert_sessions(settings, config.database_url, members))


async def _post_by(url: str, name: str) -> UUID:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        post = await make_post(connection, await make_user(connection, name))
    await engine.dispose()
    return post


_COUNTS = """
    SELECT username, posts_count, array_agg(posts.id) FROM users
    LEFT JOIN posts ON author_id = users.id WHERE username IN ('ada', 'bob')
    GROUP BY username, posts_count ORDER BY username
"""
