"""Measures how long a request blocks the event loop."""

import gc
import time
from collections.abc import Awaitable, Generator, Hashable
from typing import Any

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BLOCKING_SECONDS = 0.05
"""Seconds of CPU time between two awaits; CPU time, so that a busy machine changes nothing."""


class LoopWatchdog:
    """An ASGI application around another one that measures every step of its coroutine.

    A step runs between two awaits that suspend. The first request of a kind is not judged, since it
    compiles statements once per process.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.slow: list[str] = []
        self.longest = 0.0
        """Seconds of CPU time of the costliest step of the last request."""
        self._seen: set[Hashable] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_and_record(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        steps = _Steps(self.app(scope, receive, send_and_record))
        try:
            await steps
        finally:
            self._judge(scope, status, steps.longest)

    def _judge(self, scope: Scope, status: int, longest: float) -> None:
        self.longest = longest
        names = frozenset(QueryParams(scope["query_string"]))
        has_session = b"wxc_access=" in dict(scope["headers"]).get(b"cookie", b"")
        kind = (scope["method"], scope["path"], names, has_session, status)
        if kind in self._seen and longest > MAX_BLOCKING_SECONDS:
            self.slow.append(f"{kind} blocked the event loop for {longest * 1000:.0f} ms")
        self._seen.add(kind)


class _Steps:
    """Runs an awaitable step by step; `longest` is the costliest one in seconds of CPU time."""

    def __init__(self, work: Awaitable[None]) -> None:
        self._work = work
        self.longest = 0.0

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._work.__await__()
        value: Any = None
        error: BaseException | None = None
        while True:
            gc.disable()  # a full collection is caused by the test run, not by the request
            started = time.thread_time()
            try:
                waits_for = steps.send(value) if error is None else steps.throw(error)
            except StopIteration:
                return
            finally:
                self.longest = max(self.longest, time.thread_time() - started)
                gc.enable()
            try:
                value, error = (yield waits_for), None
            except BaseException as thrown:
                value, error = None, thrown
