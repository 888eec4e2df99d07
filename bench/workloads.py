"""What is asked under load: by members who are signed in, or by visitors."""

import asyncio
import http.client
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from bench.data import connect
from bench.load import Request
from bench.server import Served
from wxc import demo

_SEED = 1889
_FOLLOWS_TWO_THOUSAND, _FOLLOWS_TWENTY_THOUSAND = "tan_exchange", "kenji"
_DEEP = 25  # pages


class Member:
    """Somebody who is signed in."""

    def __init__(self, server: Served, name: str) -> None:
        self._connection = server.connection
        credentials = {"identifier": name, "password": demo.PASSWORD}
        answer, body = self._send("POST", "/login", {}, credentials)
        cookies = SimpleCookie()
        for header in answer.headers.get_all("Set-Cookie") or ():
            cookies.load(header)
        sent = "; ".join(f"{key}={one.value}" for key, one in cookies.items())
        self.reading = {"Cookie": sent}
        self.writing = self.reading | {
            "X-CSRF-Token": body["csrf_token"],
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The body of an answer."""
        return self._send("GET", path, self.reading)[1]

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, str] | None = None,
    ) -> tuple[http.client.HTTPResponse, Any]:
        said = json.dumps(body) if body else None
        kind = {"Content-Type": "application/json"} if body else {}
        self._connection.request(method, path, said, headers | kind)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status != 200:
            sys.exit(f"{method} {path} answered {answer.status}: {read.decode()[:300]}")
        return answer, json.loads(read)


Workload = Callable[[Served, str], Sequence[Request]]


def feed(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of members who follow some 60 people."""
    return [Request("/feeds", member.reading) for member in _members(server)]


def feed_2000(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of somebody who follows 2,000 people."""
    return [Request("/feeds", Member(server, _FOLLOWS_TWO_THOUSAND).reading)]


def feed_20000(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of somebody who follows 20,000 people."""
    return [Request("/feeds", Member(server, _FOLLOWS_TWENTY_THOUSAND).reading)]


def feed_deep(server: Served, database_url: str) -> Sequence[Request]:
    """Page 25 of members who follow some 60 people."""
    return [
        Request(_turned(member, "/feeds", _DEEP), member.reading) for member in _members(server)
    ]


def thread(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of the longest thread, 10,000 comments."""
    post = _row(database_url, "SELECT id FROM posts ORDER BY comments_count DESC LIMIT 1")[0]
    return [Request(f"/posts/{post}/comments", member.reading) for member in _members(server)]


def notifications(server: Served, database_url: str) -> Sequence[Request]:
    """The first page of members whom many have liked and followed."""
    return [Request("/notifications", member.reading) for member in _members(server)]


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
    """A like and its withdrawal, in turn, by members of posts of each other's."""
    posts = _rows(database_url, "SELECT id FROM posts ORDER BY id DESC OFFSET 100 LIMIT 32")
    return [
        Request(f"/posts/{post[0]}/like", member.writing, method)
        for method in ("POST", "DELETE")
        for member, post in zip(_members(server), posts, strict=True)
    ]


def post(server: Served, database_url: str) -> Sequence[Request]:
    """A post by each of the members."""
    body = json.dumps({"body": "The board at the corner held all afternoon."})
    return [Request("/posts", member.writing, "POST", body) for member in _members(server)]


WORKLOADS: dict[str, Workload] = {
    "feed": feed,
    "feed-2000": feed_2000,
    "feed-20000": feed_20000,
    "feed-deep": feed_deep,
    "thread": thread,
    "notifications": notifications,
    "exchange-search": exchange_search,
    "quote": quote,
    "like": like,
    "post": post,
}


def member_names() -> Sequence[str]:
    """Members as most are: neither followed by very many, nor reading very many."""
    return [f"member_{number}" for number in range(100, 132)]


def _members(server: Served) -> Iterator[Member]:
    return (Member(server, name) for name in member_names())


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
    boards = _rows(database_url, _SOME_BOARDS)
    for board in boards:
        pair = [board["base_currency"], board["currency"]]
        source, target = pair if draw.random() < 0.5 else reversed(pair)
        wish = {"lat": board["lat"], "lon": board["lon"], "from": source, "to": target}
        yield wish | {"amount": draw.randrange(100, 5_000)}, board["username"]


def _row(database_url: str, statement: str) -> Any:  # noqa: ANN401 - a record
    return _rows(database_url, statement)[0]


def _rows(database_url: str, statement: str) -> Sequence[Any]:
    async def fetch() -> Sequence[Any]:
        connection = await connect(database_url)
        rows = await connection.fetch(statement)
        await connection.close()
        return rows

    return asyncio.run(fetch())


_SOME_BOARDS = """
    SELECT users.username, exchanges.base_currency, line.currency,
           ST_Y(location::geometry) AS lat, ST_X(location::geometry) AS lon
    FROM exchanges JOIN users ON users.id = owner_id, LATERAL (
        SELECT currency FROM exchange_rates
        WHERE exchange_id = exchanges.id AND valid_to IS NULL ORDER BY currency LIMIT 1
    ) line
    ORDER BY md5(users.username) LIMIT 200
"""
