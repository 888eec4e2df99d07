"""Why a mailed link does nothing."""

from wxc.http.refusals.base import Refusal


class InvalidToken(Refusal):
    """This link has been used, has run out, or was never one of ours. Please ask for a new one.

    Only the newest link of a kind works, once, for a while, and none that was sent before the
    password or the address was changed. Offer to send another one.
    """

    status = 400
