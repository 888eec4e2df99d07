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
        self._deadlines = _Deadlines(deadline)
        self._max_requests = max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._exempt_paths.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self._traffic.requests >= self._max_requests:
            raise Overloaded
        self._traffic.requests += 1
        task = self._deadlines.start()
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError as error:
            if self._deadlines.is_exceeded(task) and task.cancelling() == 1:
                raise DeadlineExceeded from error
            raise
        finally:
            self._deadlines.stop(task)
            self._traffic.requests -= 1


class _Deadlines:
    """Cancels tasks that run for too long (seconds), all with one timer.

    Every task has the same time, so they expire in the order of their start. `asyncio.timeout`
    needs a timer for each task: 3 % of the CPU time of a like.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._expiries: dict[asyncio.Task[object], float] = {}
        self._exceeded: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> asyncio.Task[object]:
        """Start the time of the current task."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        loop = task.get_loop()
        self._expiries[task] = loop.time() + self._deadline
        if self._timer is None:
            self._timer = loop.call_later(self._deadline, self._cancel_expired, loop)
        return task

    def stop(self, task: asyncio.Task[object]) -> None:
        """Forget the task, which goes on."""
        if self._expiries.pop(task, None) is None:
            self._exceeded.remove(task)
            task.uncancel()

    def is_exceeded(self, task: asyncio.Task[object]) -> bool:
        """Whether this has cancelled the task."""
        return task in self._exceeded

    def _cancel_expired(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for task, expiry in list(self._expiries.items()):
            if expiry > now:
                self._timer = loop.call_at(expiry, self._cancel_expired, loop)
                return
            del self._expiries[task]
            self._exceeded.add(task)
            task.cancel()
