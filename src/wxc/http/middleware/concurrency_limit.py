import asyncio
import re
from dataclasses import dataclass

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
        self._deadlines = _Deadlines(deadline)
        self._max_requests = max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._exempt_paths.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self._traffic.requests >= self._max_requests:
            raise Overloaded
        self._traffic.requests += 1
        deadline = self._deadlines.start()
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError as error:
            if deadline.is_exceeded and deadline.task.cancelling() == 1:
                raise DeadlineExceeded from error
            raise
        finally:
            self._deadlines.stop(deadline)
            self._traffic.requests -= 1


@dataclass(slots=True, eq=False)
class _Deadline:
    task: "asyncio.Task[object]"
    expires_at: float
    is_exceeded: bool = False


class _Deadlines:
    """Cancels tasks that take longer than `seconds`, with one timer for all of them.

    All have the same time, so they expire in the order of their start. `asyncio.timeout` sets a
    timer for each: 3 % of the CPU time of a like.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pending: dict[_Deadline, None] = {}  # an ordered set
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> _Deadline:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        loop = task.get_loop()
        deadline = _Deadline(task, loop.time() + self._seconds)
        self._pending[deadline] = None
        if self._timer is None:
            self._timer = loop.call_at(deadline.expires_at, self._cancel_expired, loop)
        return deadline

    def stop(self, deadline: _Deadline) -> None:
        self._pending.pop(deadline, None)
        if deadline.is_exceeded:
            deadline.task.uncancel()

    def _cancel_expired(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for deadline in list(self._pending):
            if deadline.expires_at > now:
                self._timer = loop.call_at(deadline.expires_at, self._cancel_expired, loop)
                return
            del self._pending[deadline]
            deadline.is_exceeded = True
            deadline.task.cancel()
