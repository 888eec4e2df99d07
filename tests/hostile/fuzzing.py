"""Generates and sends random hostile requests, and checks their answers.

A request depends only on the seed and its number, so each one can be repeated.
"""

import asyncio
import copy
import json
import re
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import unquote

import httpx
from fastapi import FastAPI
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, Operation, Path, operations, quoted
from tests.hostile.refusals import assert_well_formed
from tests.hostile.values import UNDECLARED, WHOLE_BODY, Place, places_of
from tests.support.browser import ADDRESS, ORIGIN
from tests.support.factories import PASSWORD

MAX_SECONDS = 1.0
"""For an answer to a request that is not concurrent with others."""
_MAX_FURTHER_PLACES = 2
# The requested path: a problem document repeats it.
_PLAIN_INSTANCE = re.compile(rb'"instance":"[A-Za-z0-9_/:-]*"')
_MIN_ECHO_LENGTH = 12  # answers contain shorter values by chance


@dataclass
class Request:
    """A request with hostile values in `places`."""

    number: int
    operation: Operation
    target: str
    headers: list[tuple[bytes, bytes]]
    body: bytes
    places: list[Place]
    values: list[str | bytes]
    sender: str
    """`ada`; `forger` with her cookies, without the CSRF token; or `stranger` without cookies."""

    def __str__(self) -> str:
        headers = b"; ".join(name + b": " + value[:80] for name, value in self.headers)
        return (
            f"#{self.number} {self.operation.method} {self.target[:200]} by {self.sender}, "
            f"{' + '.join(map(str, self.places))}, {headers!r}, {self.body[:200]!r}"
        )


@dataclass
class TimedAnswer:
    """An answer and its cost."""

    response: httpx.Response
    seconds: float
    cpu_seconds: float


@dataclass
class Finding:
    """An answer with a fault."""

    request: Request
    fault: str
    answer: httpx.Response

    def __str__(self) -> str:
        answer = f"{self.answer.status_code} {self.answer.content[:400]!r}"
        return f"{self.fault}\n  {self.request}\n  {answer}"


def draw_request(seed: int, number: int, world: World) -> Request:
    """The request with this number, which has at least one hostile value."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - repeatable on purpose
    candidates = operations()
    weights = [
        4 + sum(place.slot is not None for place in places_of(operation))
        for operation in candidates
    ]
    (operation,) = random.choices(candidates, weights)
    places = _draw_places(random, operation)
    drawn = [(place, place.draw(random)) for place in places]
    by_kind: dict[str, dict[str, Any]] = {
        kind: {place.name: value for place, value in drawn if place.kind == kind}
        for kind in ("path", "query", "header", "cookie", "body")
    }
    query = "&".join(
        value if name == UNDECLARED else f"{name}={value}"
        for name, value in by_kind["query"].items()
    )
    sender = random.choice(("ada", "ada", "ada", "stranger", "forger"))
    body = _body(random, operation, by_kind["body"], world)
    return Request(
        number,
        operation,
        world.address(operation, by_kind["path"], f"?{query}" if query else ""),
        _headers(by_kind, sender, world, body),
        body,
        places,
        [value for _, value in drawn],
        sender,
    )


def _draw_places(random: Random, operation: Operation) -> list[Place]:
    """Up to three places; each kind is equally probable, whatever its number of places."""
    places = places_of(operation)
    kinds = sorted({place.kind for place in places})
    chosen = []
    for _ in range(1 + random.randrange(_MAX_FURTHER_PLACES + 1)):
        kind = random.choice(kinds)
        chosen.append(random.choice([place for place in places if place.kind == kind]))
    return list({(place.kind, place.name): place for place in chosen}.values())


def _body(random: Random, operation: Operation, values: dict[str, bytes], world: World) -> bytes:
    """The example, sometimes with existing ids and the right password, with these values in it."""
    if WHOLE_BODY in values:
        return values[WHOLE_BODY]
    if not operation.examples:
        return b""
    body = copy.deepcopy(operation.examples[0])
    # Rarely for settings: a deleted account or a changed password needs a new population.
    if random.random() < (0.05 if "/settings" in operation.path else 0.5):
        body |= {name: value for name, value in _valid_values(world).items() if name in body}
    marks = {}
    for slot in operation.slots:
        mark = f"placeholder of {slot.pointer}"
        if slot.pointer in values and _put(body, slot.path, mark):
            marks[quoted(mark)] = values[slot.pointer]
    whole = json.dumps(body).encode()
    for placeholder, value in marks.items():
        whole = whole.replace(placeholder, value)
    return whole


def _put(body: Any, path: Path, mark: str) -> bool:
    """Put it at the path; False if the path leads through a value that was put before."""
    for part in path[:-1]:
        body = body[part]
        if isinstance(body, str):
            return False
    body[path[-1]] = mark
    return True


def _valid_values(world: World) -> dict[str, object]:
    return {
        "identifier": world.ada.username,
        "password": PASSWORD,
        "current_password": PASSWORD,
        "parent_id": world.named["comment_id"],
        "target_id": world.others["post_id"],
        "target_type": "post",
    }


def _headers(
    values: dict[str, dict[str, Any]], sender: str, world: World, body: bytes
) -> list[tuple[bytes, bytes]]:
    """The headers of a browser, with these values in them."""
    cookies = {} if sender == "stranger" else dict(world.ada.http.cookies)
    sent = {"host": b"api.test", "user-agent": b"Mozilla/5.0 (X11; Linux x86_64)"}
    if body:
        sent |= {"content-type": b"application/json", "content-length": b"%d" % len(body)}
    if sender == "ada":
        sent["x-csrf-token"] = (world.ada.csrf_token or "").encode()
    jar = {name: value.encode() for name, value in cookies.items()} | values["cookie"]
    if jar:
        sent["cookie"] = b"; ".join(name.encode() + b"=" + value for name, value in jar.items())
    sent |= values["header"]
    return [(name.encode(), value) for name, value in sent.items()]


async def send(app: FastAPI, request: Request) -> TimedAnswer:
    """Send it to the application with all middleware, without a server."""
    path, _, query = request.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.operation.method,
        "scheme": ORIGIN.partition(":")[0],
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": request.headers,
        "client": (ADDRESS, 50_000),
        "server": ("api.test", 80),
        "state": {},
    }
    exchange = _Exchange(request.body)
    wall, cpu = time.perf_counter(), time.process_time()
    await app(scope, exchange.receive, exchange.send)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return TimedAnswer(exchange.response(), seconds, cpu_seconds)


class _Exchange:
    """One request and its answer over the ASGI interface."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._is_read = False
        self._is_over = asyncio.Event()
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    async def receive(self) -> dict[str, Any]:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._is_over.set()

    def response(self) -> httpx.Response:
        return httpx.Response(self._status, headers=self._headers, content=b"".join(self._parts))


def faults(request: Request, answer: httpx.Response) -> Iterator[str]:
    """The faults of the answer, except for its time."""
    if answer.status_code >= 500 and answer.status_code != 503:
        yield f"status {answer.status_code}"
    if answer.status_code < 400:  # refusals are documented as `default`
        if str(answer.status_code) not in request.operation.declared["responses"]:
            yield f"undocumented status {answer.status_code}"
        return
    try:
        assert_well_formed(answer)
    except (AssertionError, ValueError) as error:
        yield f"malformed problem: {str(error)[:200]}"
    shown = _PLAIN_INSTANCE.sub(b"", answer.content, count=1)
    shown += b"\n".join(b": ".join(pair) for pair in answer.headers.raw)
    own_id = dict(request.headers).get(b"x-request-id")
    if own_id and own_id == answer.headers["x-request-id"].encode():
        shown = shown.replace(own_id, b"")  # a valid request id of the client is returned
    for value in (CANARY, *request.values):
        if any(spelling in shown for spelling in _spellings(value)):
            yield f"echo of {value[:80]!r}"


def _spellings(value: str | bytes) -> set[bytes]:
    """The value as it was sent, decoded, and as it would be in JSON."""
    sent = value if isinstance(value, bytes) else value.encode()
    read = unquote(sent.decode("utf-8", "replace")).strip('" ')
    spelled = {sent.strip(), read.encode("utf-8", "surrogatepass"), quoted(read)[1:-1]}
    return {each for each in spelled if len(each) >= _MIN_ECHO_LENGTH and each not in _OWN_TEXTS}


_OWN_TEXTS = {b"application/json", b"application/problem+json", b"validation_failed"}
