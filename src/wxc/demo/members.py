"""Demo data for an empty database: repeatable members, follows, posts, comments and likes.

Follows and likes have a power-law distribution, as in real networks: a few members have very many
followers. COPY writes the rows in one transaction; `members.sql` then derives used names, counters
and notifications from them.
"""

import random
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import typer
from pwdlib.hashers.argon2 import Argon2Hasher

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.database_urls import libpq_url
from wxc.core.ids import time_of
from wxc.db.errors import translate_errors
from wxc.demo import exchanges as demo_exchanges

DEMO_MEMBERS = 8
PASSWORD = "a demo of trust"  # noqa: S105 - public
_SEED = 20_260_101
_BATCH_SIZE = 20_000
_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_STATEMENTS = Path(__file__).with_suffix(".sql").read_text().rstrip("\n;").split(";\n\n")
_OWNER_POSITION, _OWNER_EXCHANGE = 1, "tanjong_pagar_exchange"  # one of the members owns it
_NAMES = tuple(name for name, _, _ in _DATA["people"])
LOGIN_NAMES = _NAMES[:4]
"""Some of the members to log in as."""
_MAX_DEPTH = 8


class NotEmpty(Exception):  # noqa: N818 - an expected outcome
    """The database has members already."""


async def fill(config: Config, members: int) -> str:
    """Fill the database and return a summary; raises `NotEmpty`."""
    url = config.database_direct_url or config.database_url
    connection = await asyncpg.connect(libpq_url(url))
    try:
        with translate_errors("demo data", connection):
            return await _fill(connection, members)
    finally:
        await connection.close()


async def _fill(connection: "asyncpg.Connection[Any]", members: int) -> str:
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(f"SET {setting} = 0")  # the role's timeouts are meant for requests
    async with connection.transaction():
        if await connection.fetchval("SELECT EXISTS (SELECT FROM users)"):
            raise NotEmpty
        return await _DemoLoader(connection, members).run()


def login_hint() -> str:
    """The usernames and the password for logging in."""
    return f"{', '.join(_NAMES)}\npassword: {PASSWORD}"


class _DemoLoader:
    """Loads the rows; everything but the members refers to members by their positions."""

    def __init__(self, connection: "asyncpg.Connection[Any]", members: int) -> None:
        self._connection = connection
        self._random = random.Random(_SEED)  # noqa: S311 - demo data, and repeatable
        self._members = members
        self._posts = members * 20 if members > DEMO_MEMBERS else 40
        self._follows = members * 60 if members > DEMO_MEMBERS else 20
        self._likes = members * 60 if members > DEMO_MEMBERS else 90
        self._comments = members * 20 if members > DEMO_MEMBERS else 120
        self._comment_likes = members * 10 if members > DEMO_MEMBERS else 100
        self._boards = demo_exchanges.CITY_EXCHANGES + (
            members * 2 if members > DEMO_MEMBERS else 0
        )
        self._now = clock.now()
        self._start = self._now - timedelta(days=90)
        # The default members take no time, so only larger numbers show progress bars.
        self._progress = partial(typer.progressbar, hidden=members <= DEMO_MEMBERS)
        self._member_ids: list[UUID] = []
        self._owner_ids: list[UUID] = []
        self._post_ids: list[UUID] = []
        self._comment_ids: list[UUID] = []

    async def run(self) -> str:
        await self._copy("users", self._member_rows(), self._members)
        await self._copy("follows", self._follow_rows(), self._follows)
        await self._copy("posts", self._post_rows(), self._posts)
        await self._copy("post_likes", self._like_rows(), self._likes)
        await self._copy("comments", self._comment_rows(), self._comments)
        await self._copy("comment_likes", self._comment_like_rows(), self._comment_likes)
        await self._copy("users", self._owner_rows(), self._boards)
        with self._progress(length=self._boards, label="exchanges ") as bar:
            await demo_exchanges.copy_exchanges(
                self._connection, self._owner_ids, self._now, bar.update
            )
        with self._progress(length=len(_STATEMENTS), label="counters  ") as bar:
            for statement in _STATEMENTS:
                await self._connection.execute(statement)
                bar.update(1)
        return (
            f"{self._members:,} members, {self._follows:,} follows, "
            f"{self._posts:,} posts, {self._likes:,} likes, {self._comments:,} comments, "
            f"{self._boards:,} exchanges"
        )

    async def _copy(self, table: str, rows: Iterator[tuple[Any, ...]], count: int) -> None:
        columns = _COLUMNS[table].split()
        with self._progress(length=count, label=table.ljust(10)) as bar:
            while batch := list(islice(rows, min(_BATCH_SIZE, count))):
                await self._connection.copy_records_to_table(table, records=batch, columns=columns)
                bar.update(len(batch))

    def _member_rows(self) -> Iterator[tuple[Any, ...]]:
        password_hash, people = _password_hash(), _DATA["people"]
        for position in range(self._members):
            moment = self._start - timedelta(days=1) + timedelta(seconds=position)
            member_id = self._id(moment)
            self._member_ids.append(member_id)
            name, display_name, bio = (
                people[position] if position < len(people) else (f"member_{position}", None, None)
            )
            email = f"{name}@example.com"
            yield (member_id, name, email, moment, password_hash, display_name, bio, moment)

    def _owner_rows(self) -> Iterator[tuple[Any, ...]]:
        """The owners of exchanges; all but one have no other content."""
        password_hash = _password_hash()
        for name, display_name, bio in demo_exchanges.owner_profiles(self._boards):
            if name == _OWNER_EXCHANGE:
                self._owner_ids.append(self._member_ids[_OWNER_POSITION])
                continue
            member_id = self._id(self._start)
            self._owner_ids.append(member_id)
            row = (member_id, name, f"{name}@example.com", self._start)
            yield (*row, password_hash, display_name, bio, self._start)

    def _follow_rows(self) -> Iterator[tuple[Any, ...]]:
        seen: set[int] = set()
        followers = self._followers()
        while len(seen) < self._follows:
            member = next(followers)
            followed = self._popular_member()
            edge = member * self._members + followed
            if member != followed and edge not in seen:
                seen.add(edge)
                moment = self._start + timedelta(seconds=self._random.random() * 86_400)
                yield (
                    self._id(moment),
                    self._member_ids[member],
                    self._member_ids[followed],
                    moment,
                )

    def _followers(self) -> Iterator[int]:
        """Random positions; first two members who follow very many, to measure their feeds."""
        if self._members > DEMO_MEMBERS:
            yield from [2] * max(1, self._members * 2 // 5)
            yield from [1] * max(1, self._members // 25)
        while True:
            yield self._random.randrange(self._members)

    def _post_rows(self) -> Iterator[tuple[Any, ...]]:
        step = (self._now - self._start) / (self._posts + 1)
        for position in range(self._posts):
            moment = self._start + step * position
            post_id = self._id(moment)
            self._post_ids.append(post_id)
            body = " ".join(self._random.choice(_DATA[part]) for part in ("openings", "endings"))
            yield (post_id, self._member_ids[self._popular_member()], body, moment)

    def _like_rows(self) -> Iterator[tuple[Any, ...]]:
        for member, post in self._edges(self._posts, self._likes):
            moment = self._now - timedelta(seconds=self._random.random() * 86_400)
            yield (self._id(moment), self._member_ids[member], self._post_ids[post], moment)

    def _comment_rows(self) -> Iterator[tuple[Any, ...]]:
        """Threads of a power-law length: most are short, few are long, one is very long."""
        if self._members > DEMO_MEMBERS:
            yield from self._thread(self._post_ids[self._posts // 2], self._comments // 100)
        while len(self._comment_ids) < self._comments:
            post = self._post_ids[int(self._posts * self._random.random() ** 0.5)]
            length = int(2 / (self._random.random() + 0.01))
            yield from self._thread(post, min(length, self._comments - len(self._comment_ids)))

    def _thread(self, post: UUID, length: int) -> Iterator[tuple[Any, ...]]:
        recent: list[tuple[UUID, int]] = []
        posted_at = time_of(post)
        started_at = posted_at + (self._now - posted_at) * self._random.random()
        for position in range(length):
            moment = started_at + (self._now - started_at) * (position / length) ** 3
            parent, depth = None, 0
            if recent and self._random.random() < 0.6:
                parent, parent_depth = self._random.choice(recent[-20:])
                depth = parent_depth + 1
            comment = self._id(moment)
            self._comment_ids.append(comment)
            if depth < _MAX_DEPTH:
                recent.append((comment, depth))
            author = self._member_ids[self._random.randrange(self._members)]
            body = self._random.choice(_DATA["replies"])
            yield (comment, post, parent, depth, author, body, moment)

    def _comment_like_rows(self) -> Iterator[tuple[Any, ...]]:
        for member, comment in self._edges(self._comments, self._comment_likes):
            like = self._id(self._now)
            yield (like, self._member_ids[member], self._comment_ids[comment], self._now)

    def _edges(self, subjects: int, count: int) -> Iterator[tuple[int, int]]:
        """Distinct pairs of a member and a subject; the first subjects are the most liked."""
        seen: set[int] = set()
        while len(seen) < count:
            member = self._random.randrange(self._members)
            subject = int(subjects * self._random.random() ** 2)
            edge = member * subjects + subject
            if edge not in seen:
                seen.add(edge)
                yield member, subject

    def _popular_member(self) -> int:
        """A position by a power law: the first members are the most popular."""
        return int(self._members * self._random.random() ** 2.5)

    def _id(self, moment: datetime) -> UUID:
        """A UUIDv7 of that moment whose random part repeats with the seed (RFC 9562, 5.7)."""
        milliseconds = int(moment.timestamp() * 1000)
        return UUID(
            int=milliseconds << 80
            | 0x7 << 76
            | self._random.getrandbits(12) << 64
            | 0b10 << 62
            | self._random.getrandbits(62)
        )


def _password_hash() -> str:
    """One hash for all members: hashing each would take 50 ms per member."""
    return Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)


_COLUMNS = {
    "users": "id username email email_verified_at password_hash display_name bio created_at",
    "follows": "id follower_id followed_id created_at",
    "posts": "id author_id body created_at",
    "post_likes": "id user_id post_id created_at",
    "comments": "id post_id parent_id depth author_id body created_at",
    "comment_likes": "id user_id comment_id created_at",
}
