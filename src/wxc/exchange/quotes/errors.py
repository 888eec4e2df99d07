"""Refusals of a conversion."""

from wxc.http.refusals.base import Refusal


class AmountTooLarge(Refusal):
    """What this comes to has more than twelve digits before its point.

    Ask for a smaller amount.
    """

    status = 422
