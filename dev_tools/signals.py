"""Shutdown on Ctrl-C, SIGTERM and SIGHUP."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class ShutdownSignals:
    """The first signal raises KeyboardInterrupt; later ones set `urgent`, to stop faster."""

    def __init__(self) -> None:
        self.urgent = threading.Event()
        self._is_shutting_down = False
        self._previous_handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP on purpose: leave it. A shell ignores SIGINT for every background
            # process, where a SIGINT is still sent on purpose: handle it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._previous_handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def begin_shutdown(self) -> None:
        """From now on no signal interrupts the shutdown."""
        self._is_shutting_down = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_shutting_down:
            self.urgent.set()
        else:
            self._is_shutting_down = True
            raise KeyboardInterrupt
