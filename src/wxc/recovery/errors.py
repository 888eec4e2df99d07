"""Why a mailed link does nothing."""

from wxc.core.errors import Refusal


class InvalidToken(Refusal):
    """This link has been used, has run out, or was never one of ours. Please ask for a new one."""

    status = 400
