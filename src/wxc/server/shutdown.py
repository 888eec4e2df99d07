"""Graceful shutdown: the process drains for a while before it ends.

While draining it fails health checks and sends `Connection: close`, but still serves all requests,
since a load balancer takes a while to notice.
"""

import asyncio
import logging
import signal
from types import FrameType

_log = logging.getLogger("wxc.serving")


class GracefulShutdown:
    """Delays the server's own handler of SIGTERM by `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self.is_draining = False
        """Whether SIGTERM was received: the process still serves, but will end."""
        self.handles_signals = False
        """True in the processes of `wxc serve`."""

    def install_signal_handlers(self) -> None:
        """Start draining at SIGTERM and call the current handler after the delay.

        A second SIGTERM, or the first one without a delay, calls that handler immediately.
        """
        if not self.handles_signals:
            return
        loop, server_handler = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def start_draining(number: int, frame: FrameType | None) -> None:
            is_immediate = self.is_draining or not self._delay
            self.is_draining = True
            if is_immediate:
                _call(server_handler, number, frame)
            else:
                loop.call_soon_threadsafe(schedule_shutdown)

        def schedule_shutdown() -> None:
            _log.info("received SIGTERM; serving for another %g s", self._delay)
            loop.call_later(self._delay, _call, server_handler, signal.SIGTERM, None)

        signal.signal(signal.SIGTERM, start_draining)


def _call(handler: object, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
