from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wxc.server.framing import is_unambiguous

# Bytes. More than the application's own limit on headers, which responds with a problem: a network
# read may include part of the body.
MAX_HEAD_SIZE = 128 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """Limits the size of a request's head, which httptools would buffer without a limit."""

    _head_length = 0
    _is_reading_head = True

    def data_received(self, data: bytes) -> None:
        self._head_length += len(data)
        super().data_received(data)
        is_too_long = self._is_reading_head and self._head_length > MAX_HEAD_SIZE
        if is_too_long and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

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
