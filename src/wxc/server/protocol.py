import asyncio
import logging

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from wxc.core import logging as logs
from wxc.http.middleware.request_context import RawHeaders, request_ids
from wxc.http.problems import problem_body
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.requests import HeadersTooLarge, MalformedRequest, RequestTimeout
from wxc.http.refusals.server import Overloaded
from wxc.server.framing import is_unambiguous

_log = logging.getLogger("wxc.access")
# Bytes. More than the application's own limit on headers, which responds with a problem: a network
# read may include part of the body.
MAX_HEAD_SIZE = 128 * 1024
_HEAD_DEADLINE = 10.0  # seconds; the application's settings replace this and the next
_MAX_CONNECTIONS = 2048


class BoundedProtocol(HttpToolsProtocol):
    """Bounds what uvicorn would await without a limit, and refuses requests with a problem.

    `_timer` runs while the server waits for the rest of a head, or of a body that the application
    does not read. Most heads arrive in one piece and need no timer. uvicorn closes connections that
    are idle between requests, `RequestBodyLimit` bounds the bodies that are read.
    """

    _head_length = 0
    _is_reading_head = True
    _has_begun_head = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.app_state.get("max_connections", _MAX_CONNECTIONS):
            self._refuse(Overloaded)
        else:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_length += len(data)
        super().data_received(data)
        if self._is_reading_head and (self._has_begun_head or not self._is_responding()):
            self._start_timer()
        is_too_long = self._is_reading_head and self._head_length > MAX_HEAD_SIZE
        if is_too_long and not self.transport.is_closing():
            self._refuse(HeadersTooLarge)

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this if the parser refuses the request."""
        self._refuse(MalformedRequest)

    def shutdown(self) -> None:
        """End live streams, for which uvicorn would otherwise wait."""
        self.app_state.get("end_streams", lambda: None)()
        super().shutdown()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._has_begun_head = True

    def on_headers_complete(self) -> None:
        if not is_unambiguous(self.parser.get_http_version(), self.headers):
            # The parser stops at an exception and raises its own, which is a 400.
            raise ValueError("The request is ambiguous.")
        self._stop_timer()
        super().on_headers_complete()
        self._is_reading_head = self._has_begun_head = False

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()
        self._is_reading_head, self._head_length = True, 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_reading_head:
            self._start_timer()  # for the rest of a body that the application has not read

    def _start_timer(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            deadline = self.app_state.get("head_deadline", _HEAD_DEADLINE)
            self._timer = self.loop.call_later(deadline, self._time_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._timer = None
        if self._head_length and self._is_reading_head:
            self._refuse(RequestTimeout)
        else:
            self.transport.close()

    def _is_responding(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _refuse(self, refusal: type[Refusal]) -> None:
        """Respond with a problem, unless a response is already on its way, and close."""
        is_responding = self._is_responding()
        if is_responding and self._is_reading_head and refusal is not HeadersTooLarge:
            self.cycle.keep_alive = False  # an earlier request: this response would seem to be its
            return
        if not is_responding or not (self._is_reading_head or self.cycle.response_started):
            self._send_problem(refusal)
        self.transport.close()

    def _send_problem(self, refusal: type[Refusal]) -> None:
        request_id, _ = request_ids(self.headers or [])
        token = logs.request_id.set(request_id)
        _log.info("refused a request: %s", refusal.code())
        logs.request_id.reset(token)
        wait = refusal.retry_after
        body = problem_body(
            refusal, instance="/", request_id=request_id, errors=None, retry_after=wait
        )
        headers: RawHeaders = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode()),
            *([] if wait is None else [(b"retry-after", b"%d" % wait)]),
            *self.app_state.get("default_headers", ()),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join((STATUS_LINE[refusal.status], *lines, b"\r\n", body)))
