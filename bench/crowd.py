"""A database in which one author has a million followers, each of them a member like any other.

It is a small demo of its own, so that nothing else is measured beside so many. The followers are
made by the database itself, in three statements, with a name, an address and the password of all.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from bench.data import kept, rows
from wxc.core import clock
from wxc.core.ids import first_id_at

FAMOUS, ORDINARY = "amelia", "member_100"
_MEMBERS = 500
_FOLLOWERS = 1_000_000


def crowded(followers: int = _FOLLOWERS) -> str:
    """The URL of that database, filled now unless an earlier run has done it."""
    prefix = f"wxc_crowd_{followers}_"
    return kept(prefix, _MEMBERS, lambda url: gather(url, followers), ["bench/crowd.py"])


def members_of_crowd(url: str, count: int) -> Sequence[UUID]:
    """Some of the followers."""
    found = rows(url, "SELECT id FROM users WHERE username LIKE 'crowd\\_%' LIMIT $1", count)
    return [row["id"] for row in found]


def gather(url: str, followers: int) -> None:
    """Have so many members join, a millisecond one after the other, and follow the author."""
    first = first_id_at(clock.now() - timedelta(milliseconds=followers)).int >> 80
    for statement, parameters in (
        (_JOIN, (followers, f"{first:x}", FAMOUS)),
        (_NAME, ()),
        (_FOLLOW, (FAMOUS,)),
        (_COUNT, (followers, FAMOUS)),
    ):
        rows(url, statement, *parameters)


_JOIN = """
    INSERT INTO users (id, username, email, password_hash, following_count, created_at)
    SELECT (lpad(to_hex(('x' || lpad($2, 16, '0'))::bit(64)::bigint + number), 12, '0')
            || '70008' || left(md5(number::text), 15))::uuid,
           'crowd_' || number, 'crowd_' || number || '@example.com',
           (SELECT password_hash FROM users WHERE username = $3), 1, now()
    FROM generate_series(1, $1::integer) AS number
"""
_NAME = """
    INSERT INTO used_usernames (name, user_id, taken_at)
    SELECT username_folded, id, created_at FROM users WHERE username LIKE 'crowd\\_%'
"""
_FOLLOW = """
    INSERT INTO follows (id, follower_id, followed_id, created_at)
    SELECT id, id, (SELECT id FROM users WHERE username = $1), now()
    FROM users WHERE username LIKE 'crowd\\_%'
"""
_COUNT = "UPDATE users SET followers_count = followers_count + $1 WHERE username = $2"
