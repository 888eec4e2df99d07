"""What can be wrong with an exchange one asks for."""

from wxc.core.errors import NotFound, Refusal


class ExchangeNotFound(NotFound):
    """There is no such exchange."""


class AmountTooLarge(Refusal):
    """What this comes to has more than twelve digits before its point."""

    status = 422
