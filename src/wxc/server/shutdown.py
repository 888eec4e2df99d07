"""The end of a process that serves, announced before it comes.

Who sends traffic learns of it late: for a while after SIGTERM the process says so to the load
balancer, answers with `Connection: close`, and refuses nothing.
"""

import asyncio
import logging
import signal
from types import FrameType

_log = logging.getLogger("wxc.serving")


class Departure:
    """Whether the process is about to end."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self.is_near = False
        self.is_by_signal = False
        """Whether SIGTERM brings it; so it is in the processes of `wxc serve`."""

    def await_signal(self) -> None:
        """From now on SIGTERM announces the end, and the server's own handler is called later."""
        if not self.is_by_signal:
            return
        loop, end = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def announce(number: int, frame: FrameType | None) -> None:
            is_urgent = self.is_near or not self._delay  # asked twice, it is in a hurry
            self.is_near = True
            if is_urgent:
                _call(end, number, frame)
            else:
                loop.call_soon_threadsafe(wait)

        def wait() -> None:
            _log.info("asked to end; still serving for %g s", self._delay)
            loop.call_later(self._delay, _call, end, signal.SIGTERM, None)

        signal.signal(signal.SIGTERM, announce)


def _call(handler: object, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
