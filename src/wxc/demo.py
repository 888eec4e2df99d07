"""Demo data: the same members, follows, posts, comments, likes and exchanges every time.

It goes into an empty database. Follows and likes follow a power law, as those of real networks do:
a few members have very many followers. Rows go in by COPY in one transaction; the names in use and
the counters are computed from them at the end.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import asyncpg
import typer
from pwdlib.hashers.argon2 import Argon2Hasher

from wxc import demo_exchanges
from wxc.core import clock
from wxc.core.config import Config, libpq_url
from wxc.core.ids import time_of

FEW = 8
PASSWORD = "a demo of trust"  # noqa: S105 - printed for everyone to use
_SEED = 20_260_101
_BATCH = 20_000
_PEOPLE = (
    ("amelia", "Amelia Reis", "Walks a lot, mostly uphill. Lisbon, then wherever the train goes."),
    ("tan_exchange", "Tan Exchange", "Money changer at Tanjong Pagar since 1987. Ask for yen."),
    ("kenji", "Kenji", "Cooks on a boat. Paid in three currencies, spends in a fourth."),
    ("noor", "Noor", "Nurse abroad, sends money home on Fridays."),
    ("jonas", "Jonas Weber", "Cycling from Hamburg to Hanoi, slowly."),
    ("mei_travels", "Mei", "Airport food critic."),
    ("sofia", "Sofía", "Translates contracts by day and menus by night."),
    ("ravi", "Ravi", "Looks for the best rate so that you need not."),
)
_SHOPKEEPER, _SHOP_OF_A_MEMBER = 1, "tanjong_pagar_exchange"  # who is not there twice
LOGINS = tuple(name for name, _, _ in _PEOPLE[:4])
"""Some of whom one can log in as."""
_OPENINGS = (
    "Changed dollars at Orchard today.",
    "Anyone know an honest counter near the station?",
    "Rates moved overnight.",
    "Back in town for a week.",
    "A tip for the weekend:",
    "Paid by card and regretted it.",
    "Rain all day, so I counted coins.",
    "The queue at the airport was an hour long.",
)
_ENDINGS = (
    "The board at the corner held all afternoon.",
    "Ask for the rate before you show the notes.",
    "Better than the airport by two percent.",
    "They close at six, do not be late.",
    "No commission, and they said so first.",
    "Small notes only, they were out of fifties.",
    "I would go there again.",
    "Compare before you change, it takes a minute.",
)

_REPLIES = (
    "Which one was that?",
    "Same here, and they smiled.",
    "Is that still so?",
    "Thank you, going there tomorrow.",
    "I got a little less this morning.",
    "They were closed when I came.",
    "Good to know!",
    "Not on Sundays, though.",
)
_DEEPEST = 8


class NotEmpty(Exception):  # noqa: N818 - a fact
    """The database has members already."""


async def fill(config: Config, members: int) -> str:
    """Fill the database and say with how much; raises `NotEmpty`."""
    url = config.database_direct_url or config.database_url
    connection = await asyncpg.connect(libpq_url(url))
    try:
        for bound in ("statement_timeout", "idle_in_transaction_session_timeout"):
            await connection.execute(f"SET {bound} = 0")  # the role's are for requests
        async with connection.transaction():
            if await connection.fetchval("SELECT EXISTS (SELECT FROM users)"):
                raise NotEmpty
            return await _Filling(connection, members).run()
    finally:
        await connection.close()


def logins() -> Iterator[str]:
    """Whom one can log in as."""
    yield f"{', '.join(LOGINS)} …  password: {PASSWORD}"


class _Filling:
    """One run: the members are drawn first, everything else refers to their positions."""

    def __init__(self, connection: "asyncpg.Connection[Any]", members: int) -> None:
        self._connection = connection
        self._random = random.Random(_SEED)  # noqa: S311 - demo data, and repeatable
        self._members = members
        self._posts = members * 20 if members > FEW else 40
        self._follows = members * 60 if members > FEW else 20
        self._likes = members * 60 if members > FEW else 90
        self._comments = members * 20 if members > FEW else 120
        self._comment_likes = members * 10 if members > FEW else 100
        self._boards = demo_exchanges.COUNT + (members * 2 if members > FEW else 0)
        self._now = clock.now()
        self._start = self._now - timedelta(days=90)
        # The few members are there at once; a bar is for what takes its time.
        self._progress = partial(typer.progressbar, hidden=members <= FEW)
        self._member_ids: list[UUID] = []
        self._owner_ids: list[UUID] = []
        self._post_ids: list[UUID] = []
        self._comment_ids: list[UUID] = []

    async def run(self) -> str:
        await self._copy("users", _USER_COLUMNS, self._member_rows, self._members)
        await self._copy("follows", _FOLLOW_COLUMNS, self._follow_rows, self._follows)
        await self._copy("posts", _POST_COLUMNS, self._post_rows, self._posts)
        await self._copy("post_likes", _LIKE_COLUMNS, self._like_rows, self._likes)
        await self._copy("comments", _COMMENT_COLUMNS, self._comment_rows, self._comments)
        await self._copy(
            "comment_likes", _COMMENT_LIKE_COLUMNS, self._comment_like_rows, self._comment_likes
        )
        await self._copy("users", _USER_COLUMNS, self._owner_rows, self._boards)
        with self._progress(length=self._boards, label="exchanges ") as bar:
            await demo_exchanges.open_boards(
                self._connection, self._owner_ids, self._now, bar.update
            )
        with self._progress(length=len(_DERIVED), label="counters  ") as bar:
            for statement in _DERIVED:
                await self._connection.execute(statement)
                bar.update(1)
        return (
            f"{self._members:,} members, {self._follows:,} follows, "
            f"{self._posts:,} posts, {self._likes:,} likes, {self._comments:,} comments, "
            f"{self._boards:,} exchanges"
        )

    async def _copy(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Callable[[], Iterator[tuple[Any, ...]]],
        count: int,
    ) -> None:
        source = rows()
        with self._progress(length=count, label=table.ljust(10)) as bar:
            while batch := list(islice(source, min(_BATCH, count))):
                await self._connection.copy_records_to_table(table, records=batch, columns=columns)
                bar.update(len(batch))

    def _member_rows(self) -> Iterator[tuple[Any, ...]]:
        password_hash = _password_hash()
        for position in range(self._members):
            moment = self._start - timedelta(days=1) + timedelta(seconds=position)
            member_id = self._id(moment)
            self._member_ids.append(member_id)
            name, display_name, bio = (
                _PEOPLE[position] if position < len(_PEOPLE) else (f"member_{position}", None, None)
            )
            email = f"{name}@example.com"
            yield (member_id, name, email, moment, password_hash, display_name, bio, moment)

    def _owner_rows(self) -> Iterator[tuple[Any, ...]]:
        """Those who have exchanges, and but for one nothing else to do with the others."""
        password_hash = _password_hash()
        for name, display_name, bio in demo_exchanges.names(self._boards):
            if name == _SHOP_OF_A_MEMBER:
                self._owner_ids.append(self._member_ids[_SHOPKEEPER])
                continue
            member_id = self._id(self._start)
            self._owner_ids.append(member_id)
            row = (member_id, name, f"{name}@example.com", self._start)
            yield (*row, password_hash, display_name, bio, self._start)

    def _follow_rows(self) -> Iterator[tuple[Any, ...]]:
        seen: set[int] = set()
        # Two read nearly everyone, for whoever wants to see what a feed costs them.
        readers = [(1, self._members // 25), (2, self._members * 2 // 5)]
        while len(seen) < self._follows:
            if readers and self._members > FEW:
                member, left = readers.pop()
                if left > 1:
                    readers.append((member, left - 1))
            else:
                member = self._random.randrange(self._members)
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

    def _post_rows(self) -> Iterator[tuple[Any, ...]]:
        step = (self._now - self._start) / (self._posts + 1)
        for position in range(self._posts):
            moment = self._start + step * position
            post_id = self._id(moment)
            self._post_ids.append(post_id)
            body = f"{self._random.choice(_OPENINGS)} {self._random.choice(_ENDINGS)}"
            yield (post_id, self._member_ids[self._popular_member()], body, moment)

    def _like_rows(self) -> Iterator[tuple[Any, ...]]:
        seen: set[int] = set()
        while len(seen) < self._likes:
            member = self._random.randrange(self._members)
            post = int(self._posts * self._random.random() ** 2)
            edge = member * self._posts + post
            if edge not in seen:
                seen.add(edge)
                moment = self._now - timedelta(seconds=self._random.random() * 86_400)
                yield (self._id(moment), self._member_ids[member], self._post_ids[post], moment)

    def _comment_rows(self) -> Iterator[tuple[Any, ...]]:
        """Thread by thread, each by a power law: most are short, few are long, one very long."""
        if self._members > FEW:
            yield from self._thread(self._post_ids[self._posts // 2], self._comments // 100)
        while len(self._comment_ids) < self._comments:
            post = self._post_ids[int(self._posts * self._random.random() ** 0.5)]
            length = int(2 / (self._random.random() + 0.01))
            yield from self._thread(post, min(length, self._comments - len(self._comment_ids)))

    def _thread(self, post: UUID, length: int) -> Iterator[tuple[Any, ...]]:
        said: list[tuple[UUID, int]] = []
        written = time_of(post)
        begun = written + (self._now - written) * self._random.random()
        for position in range(length):
            moment = begun + (self._now - begun) * (position / length) ** 3
            parent, depth = None, 0
            if said and self._random.random() < 0.6:
                parent, above = self._random.choice(said[-20:])
                depth = above + 1
            comment = self._id(moment)
            self._comment_ids.append(comment)
            if depth < _DEEPEST:
                said.append((comment, depth))
            author = self._member_ids[self._random.randrange(self._members)]
            yield (comment, post, parent, depth, author, self._random.choice(_REPLIES), moment)

    def _comment_like_rows(self) -> Iterator[tuple[Any, ...]]:
        seen: set[int] = set()
        while len(seen) < self._comment_likes:
            member = self._random.randrange(self._members)
            comment = int(self._comments * self._random.random() ** 2)
            edge = member * self._comments + comment
            if edge not in seen:
                seen.add(edge)
                like = self._id(self._now)
                yield (like, self._member_ids[member], self._comment_ids[comment], self._now)

    def _popular_member(self) -> int:
        """A position by a power law: the first members are the most popular ones."""
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
    """One hash for all: a thousandth of a second each instead of a twentieth."""
    return Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)


_USER_COLUMNS = (
    "id",
    "username",
    "email",
    "email_verified_at",
    "password_hash",
    "display_name",
    "bio",
    "created_at",
)
_FOLLOW_COLUMNS = ("id", "follower_id", "followed_id", "created_at")
_POST_COLUMNS = ("id", "author_id", "body", "created_at")
_LIKE_COLUMNS = ("id", "user_id", "post_id", "created_at")
_COMMENT_COLUMNS = ("id", "post_id", "parent_id", "depth", "author_id", "body", "created_at")
_COMMENT_LIKE_COLUMNS = ("id", "user_id", "comment_id", "created_at")
_DERIVED = (
    """
    INSERT INTO used_usernames (name, user_id, taken_at)
    SELECT username_folded, id, created_at FROM users
    """,
    """
    UPDATE users SET has_exchange = true FROM exchanges WHERE owner_id = users.id
    """,
    """
    UPDATE users SET followers_count = counted.n
    FROM (SELECT followed_id AS id, count(*) AS n FROM follows GROUP BY 1) counted
    WHERE users.id = counted.id
    """,
    """
    UPDATE users SET following_count = counted.n
    FROM (SELECT follower_id AS id, count(*) AS n FROM follows GROUP BY 1) counted
    WHERE users.id = counted.id
    """,
    """
    UPDATE users SET posts_count = counted.n
    FROM (SELECT author_id AS id, count(*) AS n FROM posts GROUP BY 1) counted
    WHERE users.id = counted.id
    """,
    """
    UPDATE posts SET likes_count = counted.n
    FROM (SELECT post_id AS id, count(*) AS n FROM post_likes GROUP BY 1) counted
    WHERE posts.id = counted.id
    """,
    """
    UPDATE posts SET comments_count = counted.n
    FROM (SELECT post_id AS id, count(*) AS n FROM comments GROUP BY 1) counted
    WHERE posts.id = counted.id
    """,
    """
    UPDATE comments SET replies_count = counted.n, children_count = counted.n
    FROM (SELECT parent_id AS id, count(*) AS n FROM comments GROUP BY 1) counted
    WHERE comments.id = counted.id
    """,
    """
    UPDATE comments SET likes_count = counted.n
    FROM (SELECT comment_id AS id, count(*) AS n FROM comment_likes GROUP BY 1) counted
    WHERE comments.id = counted.id
    """,
    # What a thousand of them were told, as the application would have; the ids are those of the
    # likes, follows and comments themselves.
    """
    WITH recipients AS (SELECT id FROM users ORDER BY id LIMIT 1000), told AS (
        SELECT edge.id, author_id AS recipient_id, 'post_like' AS type, edge.user_id AS actor_id,
               posts.id AS subject_id, posts.id AS group_id, posts.id AS post_id,
               NULL::uuid AS comment_id, edge.created_at
        FROM post_likes edge JOIN posts ON posts.id = edge.post_id
        UNION ALL
        SELECT id, followed_id, 'follow', follower_id, followed_id,
               (lpad(to_hex((extract(epoch FROM date_trunc('day', created_at AT TIME ZONE 'UTC'))
                             * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
               NULL, NULL, created_at
        FROM follows
        UNION ALL
        SELECT said.id, coalesce(parent.author_id, posts.author_id),
               CASE WHEN parent.id IS NULL THEN 'post_comment' ELSE 'comment_reply' END,
               said.author_id, said.id, said.id, said.post_id, said.id, said.created_at
        FROM comments said JOIN posts ON posts.id = said.post_id
        LEFT JOIN comments parent ON parent.id = said.parent_id
    )
    INSERT INTO notifications (id, recipient_id, type, actor_id, subject_id, group_id, post_id,
                               comment_id, created_at)
    SELECT told.* FROM told JOIN recipients ON recipients.id = recipient_id
    WHERE actor_id <> recipient_id
    """,
)
