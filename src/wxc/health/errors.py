"""Why the service is not fit for traffic."""

from wxc.http.refusals.base import Refusal


class Starting(Refusal):
    """The service has not reached its database since it was started.

    It tries twice a second. See that `DATABASE_URL` is right and the database answers.
    """

    public_code = "not_started"
    status = 503
    retry_after = 2


class Draining(Refusal):
    """This instance is about to end; another one will answer.

    For the load balancer: send no more requests here. Those that come are answered all the same.
    """

    public_code = "about_to_end"
    status = 503
    retry_after = 1


class NotReady(Refusal):
    """Something that the service depends on is not as it should be; `errors` names it.

    For those who run the service: the names are `database`, `migrations`, `redis` and `mail`.
    """

    status = 503
    retry_after = 5
