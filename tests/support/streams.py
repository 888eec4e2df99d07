"""An ASGI client for live streams, which receives a response part by part."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from tests.support.browser import Browser

_TIMEOUT = 5.0


@dataclass(frozen=True)
class Event:
    """A server-sent event."""

    name: str
    data: Any
    id: str


class Stream:
    """An open stream."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._has_sent_request = False
        self._disconnected = asyncio.Event()

    async def next(self) -> Event:
        """The next event; comments are skipped."""
        while True:
            async with asyncio.timeout(_TIMEOUT):
                part = await self._part()
            if event := _parse(part):
                return event

    async def begin(self) -> int:
        """The status, once the first part of the response has arrived."""
        async with asyncio.timeout(_TIMEOUT):
            await self._messages.get()
        return self.status

    async def end(self) -> None:
        """Wait until the server has ended the stream."""
        async with asyncio.timeout(_TIMEOUT):
            while True:
                message = await self._messages.get()
                if not message.get("more_body"):
                    return

    async def _part(self) -> bytes:
        message = await self._messages.get()
        if not message.get("more_body"):
            raise EOFError(message)
        return bytes(message["body"])

    async def receive(self) -> dict[str, Any]:
        if self._has_sent_request:
            await self._disconnected.wait()
            return {"type": "http.disconnect"}
        self._has_sent_request = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message["body"]
            await self._messages.put(message)

    def leave(self) -> None:
        """Close the connection without notice, as a browser does."""
        self._disconnected.set()


@asynccontextmanager
async def open_stream(
    app: FastAPI, browser: Browser, path: str, **headers: str
) -> AsyncIterator[Stream]:
    """The stream at `path`, requested with the browser's cookies."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    request_headers = {"host": "api.test", "cookie": cookies, **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": (browser.address, 50_000),
        "server": ("api.test", 80),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in request_headers.items()
        ],
    }
    stream = Stream()
    serving = asyncio.create_task(app(scope, stream.receive, stream.send))
    try:
        yield stream
    finally:
        stream.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                await serving


async def holds_no_connection(app: FastAPI) -> bool:
    """Whether the application releases all database connections within two seconds."""
    for _ in range(200):
        if app.state.services.database.connections_in_use == 0:
            return True
        await asyncio.sleep(0.01)
    return False


def _parse(part: bytes) -> Event | None:
    fields = dict(
        line.split(": ", 1) for line in part.decode().splitlines() if line and line[0] != ":"
    )
    if not fields:
        return None
    return Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
