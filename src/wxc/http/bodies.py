"""What a request may bring along: a bounded head, and a bounded body of strict JSON or none."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import chain
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.refusals import (
    BodyTooLarge,
    DuplicateKey,
    HeadersTooLarge,
    JsonMalformed,
    JsonTooDeep,
    MalformedRequest,
    RequestTimeout,
    UnsupportedMediaType,
    UriTooLong,
)

MAX_JSON_DEPTH = 32
MAX_JSON_TOKENS = 5_000
"""Strings, brackets and separators of a body. The largest one that any route can use, 60 rates and
28 opening hours, has fewer than 2,000; 80,000 empty objects in 240 kB took 100 ms."""
LONGEST_QUERY = 8 * 1024
LONGEST_PATH = 2 * 1024
LARGEST_HEADERS = 16 * 1024
MOST_HEADERS = 256

_JSON_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.I | re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
# A string never fails once begun, closed or not: what could fail would be tried at every quote.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]', re.S)

_TOKEN_STARTS = (b"[", b"{", b",", b'"')

_OF_A_BODY = frozenset({b"content-length", b"transfer-encoding"})


class BodyGate:
    """Let through a bounded body of strict JSON, or none; refuse what else is too much.

    The body is read here, once and with a deadline, and handed on whole. Checking it costs a
    second parse: a few microseconds for the bodies of this API.
    """

    def __init__(self, app: ASGIApp, *, limit_for: Callable[[str], int], deadline: float) -> None:
        self.app = app
        self._limit_for = limit_for
        self._deadline = deadline

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        _check_head(scope)
        if scope["path"].endswith("\n"):
            # The `$` of a route also matches before one line break at the end, not before two.
            scope = {**scope, "path": scope["path"] + "\n"}
        if not _OF_A_BODY.isdisjoint(dict(scope["headers"])):
            headers = Headers(scope=scope)
            if headers.get("transfer-encoding") or headers.get("content-length", "0") != "0":
                return self._with_body(scope, headers, receive, send)
        return self.app(scope, receive, send)

    async def _with_body(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send
    ) -> None:
        await self.app(scope, await self._checked(scope, headers, receive), send)

    async def _checked(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        limit = self._limit_for(scope["path"])
        length = headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length):
            raise MalformedRequest
        if int(length) > limit:
            raise BodyTooLarge
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType
        try:
            async with asyncio.timeout(self._deadline):
                body = await _read(receive, limit)
        except TimeoutError:
            raise RequestTimeout from None
        if body:
            types = headers.getlist("content-type")
            if len(types) != 1 or not _JSON_TYPE.fullmatch(types[0].strip()):
                raise UnsupportedMediaType
            check_json(body)
        return _replay(body, receive)


class ClientGone(Exception):  # noqa: N818 - a fact; nobody is left to be told
    """The client hung up before its body had arrived."""


def check_json(body: bytes) -> None:
    """Refuse what lenient parsers disagree about: depth, repeated keys, NaN, bad UTF-8, a BOM.

    Raises `JsonTooDeep`, `BodyTooLarge` for too many tokens, `DuplicateKey`, `JsonMalformed`.
    """
    if sum(map(body.count, _TOKEN_STARTS)) > MAX_JSON_DEPTH:
        _check_tokens(body)
    try:
        json.loads(
            body.decode(), object_pairs_hook=_without_duplicates, parse_constant=_no_constants
        )
    except (ValueError, RecursionError) as error:
        raise JsonMalformed from error


def _check_tokens(body: bytes) -> None:
    """Count tokens and depth, and stop at the first one too many."""
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(body)):
        byte = body[token.start()]
        if byte in b"[{":
            depth += 1
        elif byte in b"]}":
            depth -= 1
        if depth > MAX_JSON_DEPTH:
            raise JsonTooDeep
        if count >= MAX_JSON_TOKENS:
            raise BodyTooLarge


def _without_duplicates(pairs: Iterable[tuple[str, Any]]) -> MutableMapping[str, Any]:
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKey
    return found


def _no_constants(_name: str) -> NoReturn:
    raise JsonMalformed


def _check_head(scope: Scope) -> None:
    headers = scope["headers"]
    size = sum(map(len, chain.from_iterable(headers)))
    if size > LARGEST_HEADERS or len(headers) > MOST_HEADERS:
        raise HeadersTooLarge
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if len(scope["query_string"]) > LONGEST_QUERY or len(path) > LONGEST_PATH:
        raise UriTooLong
    # A slash in disguise would lead to another route than the one that a proxy has looked at.
    if "\0" in scope["path"] or b"%2f" in path.lower():
        raise MalformedRequest


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
