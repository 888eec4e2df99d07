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
    """This was tried too often. Please wait a while; `Retry-After` says how long.

    Wait for the seconds in `Retry-After`. `RateLimit-Policy` and `RateLimit` say beforehand
    what is allowed and what is left of it.
    """

    status = 429
    retry_after = 60


class TooManyRequests(Refusal):
    """You have done this as often as is allowed for now. Please try again later.

    Each member has a quota. `RateLimit-Policy` and `RateLimit` say beforehand what is allowed and
    what is left of it; `Retry-After` is the number of seconds until there is more.
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
