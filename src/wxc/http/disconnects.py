class ClientDisconnected(Exception):  # noqa: N818 - a fact; there is no client to answer
    """The client closed the connection before the exchange was complete."""
