from wxc.http.refusals.resources import NotFound


class ExchangeNotFound(NotFound):
    """This exchange does not exist or has expired.

    The user has not opened an exchange, has deleted it, or has not confirmed it for three times
    `valid_for_hours`; or it did not exist yet at `as_of`. Create your own with `PUT /exchange`.
    """
