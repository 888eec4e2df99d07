from wxc.http.refusals.base import Refusal


class InvalidToken(Refusal):
    """This link is invalid or has expired. Please request a new one.

    A link works once, and only until it expires or a newer link of the same kind is sent. A change
    of the password or the e-mail address invalidates all earlier links. Offer to send a new link.
    """

    status = 400
