"""What is asked under load: by members who are signed in, or by visitors."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from bench.data import rows
from bench.members import READERS, Member, readers, signed_in, writers
from bench.server import Served
from bench.wrk import Request

_SEED = 1889
FOLLOWS_2_000, FOLLOWS_20_000 = "tan_exchange", "kenji"
_DEEP = 25  # pages
Workload = Callable[[Served, str], Sequence[Request]]


def feed(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of members who follow some 60 people."""
    return [Request("/feeds", member.reading) for member in readers(server)]


def feed_2000(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of somebody who follows 2,000 people."""
    return [Request("/feeds", signed_in(server, FOLLOWS_2_000).reading)]


def feed_20000(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of somebody who follows 20,000 people."""
    return [Request("/feeds", signed_in(server, FOLLOWS_20_000).reading)]


def feed_deep(server: Served, database_url: str) -> Sequence[Request]:
    """Page 25 of members who follow some 60 people."""
    return [Request(_turned(member, "/feeds", _DEEP), member.reading) for member in readers(server)]


def thread(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of the longest thread, 10,000 comments."""
    longest = "SELECT id FROM posts ORDER BY comments_count DESC LIMIT 1"
    post = rows(database_url, longest)[0]["id"]
    return [Request(f"/posts/{post}/comments", member.reading) for member in readers(server)]


def notifications(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of members whom many have liked and followed."""
    return [Request("/notifications", member.reading) for member in readers(server)]


def exchange_search(server: Served, database_url: str) -> Sequence[Request]:
    """The best rate within five kilometres, anywhere where boards are, for a visitor."""
    return [Request(f"/exchanges?{urlencode(wish)}", {}) for wish, _ in _conversions(database_url)]


def quote(server: Served, database_url: str) -> Sequence[Request]:
    """A conversion by somebody's board, for a visitor."""
    return [
        Request(
            f"/users/{name}/exchange/quote?"
            + urlencode({key: wish[key] for key in ("from", "to", "amount")}),
            {},
        )
        for wish, name in _conversions(database_url)
    ]


def like(server: Served, database_url: str) -> Sequence[Request]:
    """A like and its withdrawal, in turn, by each of the writers of a post of their own choice."""
    members, posts = writers(server), posts_to_like(database_url)
    return [
        Request(f"/posts/{post}/like", member.writing, method)
        for method in ("POST", "DELETE")
        for member, post in zip(members, posts, strict=True)
    ]


def post(server: Served, database_url: str) -> Sequence[Request]:
    """A post by each of the writers."""
    return [posting(member) for member in writers(server)]


def comment(server: Served, database_url: str) -> Sequence[Request]:
    """A comment by each of the writers on a post of their own choice."""
    body = json.dumps({"body": "Thank you, that was my way home."})
    return [
        Request(f"/posts/{post}/comments", member.writing, "POST", body)
        for member, post in zip(writers(server), posts_to_like(database_url), strict=True)
    ]


def follow(server: Served, database_url: str) -> Sequence[Request]:
    """A follow and its withdrawal, in turn, by each of the writers of one reader."""
    return [
        Request(f"/users/{name}/follow", member.writing, method)
        for method in ("POST", "DELETE")
        for member, name in zip(writers(server), READERS, strict=True)
    ]


def posting(member: Member) -> Request:
    """A post by that member."""
    body = json.dumps({"body": "The board at the corner held all afternoon."})
    return Request("/posts", member.writing, "POST", body)


def posts_to_like(database_url: str) -> Sequence[UUID]:
    """Recent posts, one for each of the writers."""
    return [
        row["id"]
        for row in rows(database_url, "SELECT id FROM posts ORDER BY id DESC OFFSET 100 LIMIT 32")
    ]


READS: dict[str, Workload] = {
    "feed": feed,
    "feed-2000": feed_2000,
    "feed-20000": feed_20000,
    "feed-deep": feed_deep,
    "thread": thread,
    "notifications": notifications,
    "exchange-search": exchange_search,
    "quote": quote,
}
WRITES: dict[str, Workload] = {
    "like": like,
    "post": post,
    "comment": comment,
    "follow": follow,
}


def _turned(member: Member, path: str, pages: int) -> str:
    """The address of a page further on."""
    address = path
    for _ in range(pages):
        cursor = member.get(address)["next_cursor"]
        address = f"{path}?{urlencode({'cursor': cursor})}"
    return address


def _conversions(database_url: str) -> Iterator[tuple[dict[str, Any], str]]:
    """What somebody near a board may want of it, and the name of its owner."""
    draw = random.Random(_SEED)  # noqa: S311 - the same questions every time
    boards = rows(database_url, _SOME_BOARDS)
    for board in boards:
        pair = [board["base_currency"], board["currency"]]
        source, target = pair if draw.random() < 0.5 else reversed(pair)
        wish = {"lat": board["lat"], "lon": board["lon"], "from": source, "to": target}
        yield wish | {"amount": draw.randrange(100, 5_000)}, board["username"]


_SOME_BOARDS = """
    SELECT users.username, exchanges.base_currency, line.currency,
           ST_Y(location::geometry) AS lat, ST_X(location::geometry) AS lon
    FROM exchanges JOIN users ON users.id = owner_id, LATERAL (
        SELECT currency FROM exchange_rates
        WHERE exchange_id = exchanges.id AND valid_to IS NULL ORDER BY currency LIMIT 1
    ) line
    ORDER BY md5(users.username) LIMIT 200
"""
