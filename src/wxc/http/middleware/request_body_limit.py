import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import chain

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.disconnects import ClientDisconnected
from wxc.http.json_bodies import check_json
from wxc.http.refusals.requests import (
    BodyTooLarge,
    HeadersTooLarge,
    MalformedRequest,
    RequestTimeout,
    UnsupportedMediaType,
    UriTooLong,
)
from wxc.http.refusals.server import Overloaded
from wxc.http.traffic import Traffic

MAX_QUERY_SIZE = 8 * 1024  # all sizes in bytes
MAX_PATH_SIZE = 2 * 1024
MAX_HEADERS_SIZE = 16 * 1024
MAX_HEADERS = 256

_JSON_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.I | re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,19}", re.ASCII)
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class RequestBodyLimit:
    """Limits the size of path, query, headers and body, and requires strict JSON as a body.

    The body is read here, within a deadline, and passed on as one message. The check is a second
    JSON parse, which takes a few microseconds for the bodies of this API. A body being read counts
    as a request in flight. At most half of the places are for them: bodies that never end must not
    occupy all.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_for: Callable[[str], int],
        deadline: float,
        max_requests: int,
        traffic: Traffic,
    ) -> None:
        self.app = app
        self._traffic = traffic
        self._max_requests = max_requests
        self._limit_for = limit_for
        self._deadline = deadline

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        _check_head(scope)
        if scope["path"].endswith("\n"):
            # The `$` of a route's pattern also matches before one final line break, not before two.
            scope = {**scope, "path": scope["path"] + "\n"}
        if not _BODY_HEADERS.isdisjoint(dict(scope["headers"])):
            headers = Headers(scope=scope)
            if headers.get("transfer-encoding") or headers.get("content-length", "0") != "0":
                return self._call_with_body(scope, headers, receive, send)
        return self.app(scope, receive, send)

    async def _call_with_body(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send
    ) -> None:
        traffic = self._traffic
        is_full = traffic.requests >= self._max_requests
        if is_full or traffic.bodies >= max(1, self._max_requests // 2):
            raise Overloaded
        traffic.requests += 1
        traffic.bodies += 1
        try:
            receive_body = await self._read_and_check(scope, headers, receive)
        finally:
            traffic.requests -= 1
            traffic.bodies -= 1
        await self.app(scope, receive_body, send)

    async def _read_and_check(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
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
        return _receive_once(body, receive)


def _check_head(scope: Scope) -> None:
    headers = scope["headers"]
    size = sum(map(len, chain.from_iterable(headers)))
    if size > MAX_HEADERS_SIZE or len(headers) > MAX_HEADERS:
        raise HeadersTooLarge
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if len(scope["query_string"]) > MAX_QUERY_SIZE or len(path) > MAX_PATH_SIZE:
        raise UriTooLong
    # An encoded slash would select a different route than the one that a proxy has checked.
    if "\0" in scope["path"] or b"%2f" in path.lower():
        raise MalformedRequest


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _receive_once(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return messages.pop() if messages else await receive()

    return receive_body
