class ClientDisconnected(Exception):  # noqa: N818 - an expected outcome
    """The client closed the connection before the exchange was complete."""
