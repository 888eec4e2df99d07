from wxc.http.refusals.base import Refusal


class AmountTooLarge(Refusal):
    """This amount is too large to convert. Enter a smaller amount.

    The computed amount has more than twelve digits before the decimal point.
    """

    status = 422
