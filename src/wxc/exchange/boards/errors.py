"""Refusals of boards."""

from wxc.http.refusals.resources import NotFound


class ExchangeNotFound(NotFound):
    """There is no such exchange.

    The member has no board, has closed it, or has not confirmed it for so long that it has
    expired. Your own comes into being with `PUT /exchange`.
    """
