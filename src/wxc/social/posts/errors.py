from wxc.http.refusals.resources import NotFound


class PostNotFound(NotFound):
    """This post is not available. It may have been deleted."""
