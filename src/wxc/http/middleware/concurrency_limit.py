import asyncio
import re

from starlette.types import ASGIApp, Receive, Scope, Send

from wxc.http.refusals.server import DeadlineExceeded, Overloaded
from wxc.http.traffic import Traffic


class ConcurrencyLimit:
    """Limits the duration of a request (`deadline`, seconds) and the number of concurrent ones."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        deadline: float,
        max_requests: int,
        traffic: Traffic,
        exempt_paths: re.Pattern[str],
    ) -> None:
        self.app = app
        self._traffic = traffic
        self._exempt_paths = exempt_paths
        self._deadline = deadline
        self._max_requests = max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._exempt_paths.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self._traffic.requests >= self._max_requests:
            raise Overloaded
        self._traffic.requests += 1
        try:
            async with asyncio.timeout(self._deadline) as deadline:
                await self.app(scope, receive, send)
        except TimeoutError as error:
            if deadline.expired():
                raise DeadlineExceeded from error
            raise
        finally:
            self._traffic.requests -= 1
