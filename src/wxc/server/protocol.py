"""The server's HTTP parser, with a bound on what may come before a body, and an end to streams.

httptools itself has none: a head that never ends would be kept in memory as long as it comes.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes. What the network brings at once may hold the first part of a body, so this is more
# than the application's own limit on headers, which answers with a problem.
LONGEST_HEAD = 128 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Hangs up on a request whose head does not end."""

    _head_length = 0
    _is_in_head = True

    def data_received(self, data: bytes) -> None:
        """Parse, then see whether a head is still open and how much of it has come."""
        self._head_length += len(data)
        super().data_received(data)
        is_too_long = self._is_in_head and self._head_length > LONGEST_HEAD
        if is_too_long and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def shutdown(self) -> None:
        """End the live streams, which the server would otherwise wait for."""
        self.app_state.get("end_streams", lambda: None)()
        super().shutdown()

    def on_headers_complete(self) -> None:
        """The head has ended; its body has a bound of its own."""
        super().on_headers_complete()
        self._is_in_head = False

    def on_message_complete(self) -> None:
        """The next head may begin."""
        super().on_message_complete()
        self._is_in_head, self._head_length = True, 0
