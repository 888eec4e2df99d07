import asyncio
import re
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.disconnects import ClientDisconnected
from wxc.http.refusals.server import Overloaded
from wxc.http.traffic import Traffic


class StreamLimit:
    """Limits the number of long responses being opened, and the time to send a part of one.

    A live stream or an export may outlast the request deadline. A client that accepts no data for
    `send_timeout` seconds counts as disconnected. `StreamLimiter` limits the open responses after
    authentication. It refuses anonymous requests before they await anything, so a flood of them
    cannot exhaust `max_opening`, which limits session checks and reads before the first part.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: re.Pattern[str],
        send_timeout: float,
        max_opening: int,
        traffic: Traffic,
    ) -> None:
        self.app = app
        self._traffic = traffic
        self._paths = paths
        self._send_timeout = send_timeout
        self._max_opening = max_opening

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or not self._paths.fullmatch(scope["path"]):
            return self.app(scope, receive, send)
        return self._call_bounded(scope, receive, send)

    async def _call_bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._traffic.opening >= self._max_opening:
            raise Overloaded
        self._traffic.opening += 1
        is_opening = True

        def mark_opened() -> None:
            nonlocal is_opening
            self._traffic.opening -= is_opening
            is_opening = False

        async def send_with_timeout(message: Message) -> None:
            mark_opened()  # before sending: a slow client that is refused must not occupy a slot
            try:
                async with asyncio.timeout(self._send_timeout):
                    await send(message)
            except TimeoutError:
                raise ClientDisconnected from None

        try:
            await self.app(scope, receive, send_with_timeout)
        except ExceptionGroup as group:  # FastAPI sends events from a task group
            if group.split(ClientDisconnected)[1] is not None:
                raise
            raise ClientDisconnected from None
        finally:
            mark_opened()
