"""What can be wrong with an exchange one asks for."""

from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict, NotFound


class ExchangeNotFound(NotFound):
    """There is no such exchange.

    The member has no board, has closed it, or has not confirmed it for so long that it has
    expired. Your own comes into being with `PUT /exchange`.
    """


class SearchExpired(Conflict):
    """The rates that this search goes by are too old. Please search again.

    All pages of a search go by the rates of its first page, for ten minutes. Search again
    without the cursor.
    """


class AmountTooLarge(Refusal):
    """What this comes to has more than twelve digits before its point.

    Ask for a smaller amount.
    """

    status = 422
