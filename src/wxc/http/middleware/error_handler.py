from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.disconnects import ClientDisconnected
from wxc.http.problems import problem_response


class ErrorHandler:
    """Responds to any exception of an inner layer with a problem, unless the response has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

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
            await problem_response(scope, error)(scope, receive, send)
