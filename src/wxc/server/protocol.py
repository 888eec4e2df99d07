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
from wxc.http.refusals.requests import HeadersTooLarge, MalformedRequest
from wxc.server.framing import is_unambiguous

_log = logging.getLogger("wxc.access")
# Bytes. More than the application's own limit on headers, which responds with a problem: a network
# read may include part of the body.
MAX_HEAD_SIZE = 128 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Limits what httptools would accept without a limit, and refuses requests with a problem."""

    _head_length = 0
    _is_reading_head = True

    def data_received(self, data: bytes) -> None:
        self._head_length += len(data)
        super().data_received(data)
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

    def on_headers_complete(self) -> None:
        if not is_unambiguous(self.parser.get_http_version(), self.headers):
            # The parser stops at an exception and raises its own, which is a 400.
            raise ValueError("The request is ambiguous.")
        super().on_headers_complete()
        self._is_reading_head = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_reading_head, self._head_length = True, 0

    def _refuse(self, refusal: type[Refusal]) -> None:
        """Respond with a problem, unless a response is already on its way, and close."""
        cycle: RequestResponseCycle | None = self.cycle
        is_responding = cycle is not None and not cycle.response_complete
        if is_responding and self._is_reading_head and refusal is MalformedRequest:
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
        body = problem_body(refusal, instance="/", request_id=request_id, errors=None)
        headers: RawHeaders = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            (b"x-request-id", request_id.encode()),
            *self.app_state.get("default_headers", ()),
        ]
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join((STATUS_LINE[refusal.status], *lines, b"\r\n", body)))
