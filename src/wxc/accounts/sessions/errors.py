from wxc.http.refusals.resources import NotFound


class SessionNotFound(NotFound):
    """This session no longer exists.

    It has ended, or the id is not one of your sessions. Remove it from the list.
    """
