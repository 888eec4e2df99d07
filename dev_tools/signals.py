"""Ctrl-C and its relatives, in an order that leaves nothing behind."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """The first Ctrl-C, SIGTERM or SIGHUP ends the work, further ones only hurry its ending."""

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._is_ending = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup, SIGHUP stays ignored. SIGINT does not: a shell that starts us in the
            # background ignores it for us, and then somebody sends it on purpose.
            if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
                self._previous[each] = signal.signal(each, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)

    def end(self) -> None:
        """Tell that the ending has begun, which from now on nothing breaks off."""
        self._is_ending = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_ending:
            self.hurry.set()
        else:
            self._is_ending = True
            raise KeyboardInterrupt
