"""What can be wrong with an exchange one asks for."""

from wxc.core.errors import NotFound


class ExchangeNotFound(NotFound):
    """There is no such exchange."""
