"""What can be wrong with an exchange one asks for."""

from wxc.core.errors import Conflict, NotFound, Refusal


class ExchangeNotFound(NotFound):
    """There is no such exchange."""


class SearchExpired(Conflict):
    """The rates that this search goes by are too old. Please search again."""


class AmountTooLarge(Refusal):
    """What this comes to has more than twelve digits before its point."""

    status = 422
