"""Who may send a request, and how often."""

from wxc.http.refusals.base import Refusal


class Unauthenticated(Refusal):
    """A session is needed.

    Log in with `POST /login`, and send its cookies along: `credentials: "include"` with fetch,
    a cookie jar elsewhere.
    """

    status = 401


class CsrfFailed(Refusal):
    """The request does not come from a page that may act for you, or lacks its X-CSRF-Token.

    Send the `csrf_token` of `POST /login`, `GET /auth-check` or `GET /csrf-token` as
    `X-CSRF-Token`. A page on another origin needs that origin to be in `CORS_ORIGINS`.
    """

    status = 403


class NotOwner(Refusal):
    """This belongs to somebody else.

    Only whoever made it may change or delete it. Do not offer the action to others.
    """

    status = 403


class RateLimited(Refusal):
    """Too many attempts. Try again in {wait}.

    Wait for the seconds in `Retry-After`; `detail` states the same time in words. To slow down in
    time, read the limits in `RateLimit-Policy` and what remains of them in `RateLimit`.
    """

    status = 429
    retry_after = 60


class TooManyStreams(Refusal):
    """Too many live updates or downloads are open. Please close one and try again.

    Close the stream of a tab that nobody sees, or share one stream between tabs. Without a
    session, everybody behind the same address is counted together; a session has a limit of
    its own.
    """

    status = 429
    retry_after = 15
