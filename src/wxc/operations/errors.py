"""Why the service is not fit for traffic."""

from wxc.core.errors import Refusal


class NotStarted(Refusal):
    """The service has not reached its database since it was started."""

    status = 503
    retry_after = 2


class AboutToEnd(Refusal):
    """This instance is about to end; another one will answer."""

    status = 503
    retry_after = 1


class NotReady(Refusal):
    """Something that the service depends on is not as it should be; `errors` names it."""

    status = 503
    retry_after = 5
