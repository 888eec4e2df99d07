from wxc.http.refusals.base import Refusal


class InvalidToken(Refusal):
    """This link is invalid or has expired. Please request a new one.

    A link works until it expires or a newer one of its kind is sent; one that resets the password
    works once. A change of the password or the e-mail address invalidates earlier links of both
    kinds. Offer to send a new link.
    """

    status = 400
