from wxc.http.refusals.resources import NotFound


class TargetNotFound(NotFound):
    """This content or account is not available and cannot be reported.

    `target_id` is unknown, of another kind, deleted or not visible to the reporter. Remove it from
    the display.
    """
