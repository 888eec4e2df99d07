"""The server's HTTP parser with a bound on the head of a request, and graceful shutdown of streams.

httptools has no such bound: it would keep a head that never ends in memory.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes. A network read may include the first part of a body, so this is more than the
# application's own limit on headers, which responds with a problem.
MAX_HEAD_SIZE = 128 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Closes the connection of a request whose head does not end."""

    _head_length = 0
    _is_reading_head = True

    def data_received(self, data: bytes) -> None:
        """Parse, then check the size of a head that is not complete."""
        self._head_length += len(data)
        super().data_received(data)
        is_too_long = self._is_reading_head and self._head_length > MAX_HEAD_SIZE
        if is_too_long and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def shutdown(self) -> None:
        """End the live streams, for which the server would otherwise wait."""
        self.app_state.get("end_streams", lambda: None)()
        super().shutdown()

    def on_headers_complete(self) -> None:
        """The head is complete; the body has its own bound."""
        super().on_headers_complete()
        self._is_reading_head = False

    def on_message_complete(self) -> None:
        """Start counting the next head."""
        super().on_message_complete()
        self._is_reading_head, self._head_length = True, 0
