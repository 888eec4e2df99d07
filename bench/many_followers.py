"""A database in which one author has a million followers.

It is separate from the other databases, so that no other bench is measured with so many rows.
Three statements insert the followers, each with a name and an address; all share one password.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from bench.data import cached_database, fetch_rows
from wxc.core import clock
from wxc.core.ids import first_id_at

POPULAR, ORDINARY = "amelia", "member_100"
_MEMBERS = 500
_FOLLOWERS = 1_000_000


def database_with_followers(followers: int = _FOLLOWERS) -> str:
    """The URL of that database, filled unless an earlier run has done so."""
    prefix = f"wxc_followers_{followers}_"
    return cached_database(
        prefix, _MEMBERS, lambda url: insert_followers(url, followers), ["bench/many_followers.py"]
    )


def follower_ids(url: str, count: int) -> Sequence[UUID]:
    users = fetch_rows(
        url, "SELECT id FROM users WHERE username LIKE 'follower\\_%' LIMIT $1", count
    )
    return [row["id"] for row in users]


def insert_followers(url: str, followers: int) -> None:
    """Insert members with ids one millisecond apart, who follow the author."""
    first = first_id_at(clock.now() - timedelta(milliseconds=followers)).int >> 80
    for statement, parameters in (
        (_INSERT_USERS, (followers, f"{first:x}", POPULAR)),
        (_INSERT_USERNAMES, ()),
        (_INSERT_FOLLOWS, (POPULAR,)),
        (_UPDATE_COUNT, (followers, POPULAR)),
    ):
        fetch_rows(url, statement, *parameters)


_INSERT_USERS = """
    INSERT INTO users (id, username, email, password_hash, following_count, created_at)
    SELECT (lpad(to_hex(('x' || lpad($2, 16, '0'))::bit(64)::bigint + number), 12, '0')
            || '70008' || left(md5(number::text), 15))::uuid,
           'follower_' || number, 'follower_' || number || '@example.com',
           (SELECT password_hash FROM users WHERE username = $3), 1, now()
    FROM generate_series(1, $1::integer) AS number
"""
_INSERT_USERNAMES = """
    INSERT INTO used_usernames (name, user_id, taken_at)
    SELECT username_folded, id, created_at FROM users WHERE username LIKE 'follower\\_%'
"""
_INSERT_FOLLOWS = """
    INSERT INTO follows (id, follower_id, followed_id, created_at)
    SELECT id, id, (SELECT id FROM users WHERE username = $1), now()
    FROM users WHERE username LIKE 'follower\\_%'
"""
_UPDATE_COUNT = "UPDATE users SET followers_count = followers_count + $1 WHERE username = $2"
