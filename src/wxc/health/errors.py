from wxc.http.refusals.base import Refusal


class Starting(Refusal):
    """The service is starting. Try again in a few seconds.

    The process has not reached its database yet and retries twice a second. Operators: check
    `DATABASE_URL` and the database.
    """

    public_code = "not_started"
    status = 503
    retry_after = 2


class Draining(Refusal):
    """This server is shutting down. Try again.

    Load balancers: send new requests to other instances. This one still serves requests.
    """

    public_code = "about_to_end"
    status = 503
    retry_after = 1


class NotReady(Refusal):
    """The service is not fully available. Try again later.

    Operators: `/readyz` on `METRICS_PORT` names the failed checks.
    """

    status = 503
    retry_after = 5
