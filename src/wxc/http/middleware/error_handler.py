from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.disconnects import ClientDisconnected


class ErrorHandler:
    """Responds to any exception of an inner layer with a problem, unless the response has begun."""

    def __init__(
        self, app: ASGIApp, *, respond: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        self.app = app
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        def track_send(message: Message) -> Awaitable[None]:
            nonlocal has_begun
            has_begun = True
            return send(message)

        try:
            await self.app(scope, receive, track_send)
        except ClientDisconnected:
            return
        except Exception as error:
            if has_begun:
                raise
            response = await self._respond(Request(scope), error)
            await response(scope, receive, send)
