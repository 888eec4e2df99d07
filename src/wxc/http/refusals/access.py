from wxc.http.refusals.base import Refusal


class Unauthenticated(Refusal):
    """Please log in first.

    Log in with `POST /login` and send its cookies with every request: with `fetch`, set
    `credentials: "include"`; other clients need a cookie jar.
    """

    status = 401


class CsrfFailed(Refusal):
    """This request could not be verified. Please reload the page and try again.

    The `Origin` is not allowed, or the CSRF token is missing or wrong. Send the `csrf_token` of
    `POST /login`, `GET /auth-check` or `GET /csrf-token` as `X-CSRF-Token`. Requests from
    other origins are refused unless the operators have added the origin to `CORS_ORIGINS`.
    """

    status = 403


class NotOwner(Refusal):
    """This belongs to someone else, so you cannot change it.

    Only the owner may change or delete a resource. Do not offer the action to anyone else.
    """

    status = 403


class RateLimited(Refusal):
    """Too many attempts. Try again in {wait}.

    Wait for the seconds in `Retry-After`; `detail` states the same time in words. To stay within
    the limits, read them in `RateLimit-Policy`, and the remaining attempts in `RateLimit`.
    """

    status = 429
    retry_after = 60


class TooManyRequests(Refusal):
    """You have done this too often. Try again in {wait}.

    Each member has a quota. `RateLimit-Policy` contains the quotas of a route, `RateLimit` what
    remains of them, and `Retry-After` the seconds until there is more.
    """

    status = 429
    retry_after = 60


class TooManyStreams(Refusal):
    """Too many live updates or downloads are open. Please close one and try again.

    Close the stream of a hidden tab, or share one stream between tabs. Each session has its own
    limit; requests without a session are counted by IP address.
    """

    status = 429
    retry_after = 15
