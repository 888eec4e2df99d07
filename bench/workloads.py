"""Requests of the workloads, from signed-in members or visitors."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from bench.data import fetch_rows
from bench.members import READERS, Member, readers, signed_in, writers
from bench.server import Server
from bench.wrk import Request

_SEED = 1889
FOLLOWS_2_000, FOLLOWS_20_000 = "tan_exchange", "kenji"
_DEEP_PAGE = 25
Workload = Callable[[Server, str], Sequence[Request]]


def feed(server: Server, database_url: str) -> Sequence[Request]:
    """The first page of members who follow some 60 people."""
    return [Request("/feeds", member.read_headers) for member in readers(server)]


def feed_2000(server: Server, database_url: str) -> Sequence[Request]:
    """The first page of a member who follows 2,000 people."""
    return [Request("/feeds", signed_in(server, FOLLOWS_2_000).read_headers)]


def feed_20000(server: Server, database_url: str) -> Sequence[Request]:
    """The first page of a member who follows 20,000 people."""
    return [Request("/feeds", signed_in(server, FOLLOWS_20_000).read_headers)]


def feed_deep(server: Server, database_url: str) -> Sequence[Request]:
    """Page 25 of members who follow some 60 people."""
    return [
        Request(_page_path(member, "/feeds", _DEEP_PAGE), member.read_headers)
        for member in readers(server)
    ]


def thread(server: Server, database_url: str) -> Sequence[Request]:
    """The first page of the longest thread, 10,000 comments."""
    longest = "SELECT id FROM posts ORDER BY comments_count DESC LIMIT 1"
    post = fetch_rows(database_url, longest)[0]["id"]
    return [Request(f"/posts/{post}/comments", member.read_headers) for member in readers(server)]


def notifications(server: Server, database_url: str) -> Sequence[Request]:
    """The first page of members with many likes and follows."""
    return [Request("/notifications", member.read_headers) for member in readers(server)]


def exchange_search(server: Server, database_url: str) -> Sequence[Request]:
    """The best rate within five kilometres of 200 places, for a visitor."""
    return [
        Request(f"/exchanges?{urlencode(query)}", {}) for query, _ in _conversions(database_url)
    ]


def quote(server: Server, database_url: str) -> Sequence[Request]:
    """A conversion by one of 200 boards, for a visitor."""
    return [
        Request(
            f"/users/{name}/exchange/quote?"
            + urlencode({key: query[key] for key in ("from", "to", "amount")}),
            {},
        )
        for query, name in _conversions(database_url)
    ]


def like(server: Server, database_url: str) -> Sequence[Request]:
    """A like and its withdrawal by each writer, each on a different post."""
    members, posts = writers(server), recent_posts(database_url)
    return [
        Request(f"/posts/{post}/like", member.write_headers, method)
        for method in ("POST", "DELETE")
        for member, post in zip(members, posts, strict=True)
    ]


def post(server: Server, database_url: str) -> Sequence[Request]:
    """A post by each writer."""
    return [post_by(member) for member in writers(server)]


def comment(server: Server, database_url: str) -> Sequence[Request]:
    """A comment by each writer, each on a different post."""
    body = json.dumps({"body": "Thank you, that was my way home."})
    return [
        Request(f"/posts/{post}/comments", member.write_headers, "POST", body)
        for member, post in zip(writers(server), recent_posts(database_url), strict=True)
    ]


def follow(server: Server, database_url: str) -> Sequence[Request]:
    """A follow and its withdrawal by each writer, each of a different reader."""
    return [
        Request(f"/users/{name}/follow", member.write_headers, method)
        for method in ("POST", "DELETE")
        for member, name in zip(writers(server), READERS, strict=True)
    ]


def post_by(member: Member) -> Request:
    body = json.dumps({"body": "The board at the corner held all afternoon."})
    return Request("/posts", member.write_headers, "POST", body)


def recent_posts(database_url: str) -> Sequence[UUID]:
    """Recent posts, one for each writer."""
    return [
        row["id"]
        for row in fetch_rows(
            database_url, "SELECT id FROM posts ORDER BY id DESC OFFSET 100 LIMIT 32"
        )
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


def _page_path(member: Member, path: str, pages: int) -> str:
    """The path of a later page."""
    page_path = path
    for _ in range(pages):
        cursor = member.get(page_path)["next_cursor"]
        page_path = f"{path}?{urlencode({'cursor': cursor})}"
    return page_path


def _conversions(database_url: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Search parameters near a board, and the name of its owner."""
    draw = random.Random(_SEED)  # noqa: S311 - repeatable
    boards = fetch_rows(database_url, _SAMPLE_BOARDS)
    for board in boards:
        pair = [board["base_currency"], board["currency"]]
        source, target = pair if draw.random() < 0.5 else reversed(pair)
        query = {"lat": board["lat"], "lon": board["lon"], "from": source, "to": target}
        yield query | {"amount": draw.randrange(100, 5_000)}, board["username"]


_SAMPLE_BOARDS = """
    SELECT users.username, exchanges.base_currency, line.currency,
           ST_Y(location::geometry) AS lat, ST_X(location::geometry) AS lon
    FROM exchanges JOIN users ON users.id = owner_id, LATERAL (
        SELECT currency FROM exchange_rates
        WHERE exchange_id = exchanges.id AND valid_to IS NULL ORDER BY currency LIMIT 1
    ) line
    ORDER BY md5(users.username) LIMIT 200
"""
