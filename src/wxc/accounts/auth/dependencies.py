from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.cookies import CookieJar
from wxc.accounts.auth.errors import NotAuthenticated, SessionExpired
from wxc.accounts.auth.policies import MemberQuota
from wxc.accounts.auth.quotas import WriteQuota
from wxc.accounts.auth.security import ACCESS_TOKEN, REFRESH_TOKEN
from wxc.accounts.auth.service import login, refresh, sessions
from wxc.accounts.auth.tokens import Tokens
from wxc.core import clock
from wxc.core.logging import log_user
from wxc.db.dependencies import CursorParameter, Database, Limit, page_request
from wxc.db.keyset import DEFAULT_LIMIT, PageRequest
from wxc.http.dependencies import QuotaLimiter, address_of, open_quota_limiter
from wxc.http.middleware.csrf_origin_check import SAFE_METHODS
from wxc.http.openapi import ANONYMOUS, needs, raises, sends
from wxc.http.rate_limits import Count, RateLimiter
from wxc.http.refusals.access import CsrfFailed, TooManyRequests, TooManyStreams
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of
from wxc.moderation.audit.dependencies import actor_of, attach_session

_QUOTA = "member_quota"


def counted(quota: MemberQuota, *, has_idempotency_key: bool = False) -> Any:  # noqa: ANN401 - FastAPI's `Depends`
    """An element of a route's `dependencies`, which are called before those of its parameters.

    A member's request is counted together with the look-up of its session, whatever becomes of it.
    If the route takes an `Idempotency-Key`, a request with one may be a repetition: the service
    counts it, see `WriteQuota`.
    """

    @sends("RateLimit-Policy", "RateLimit")
    @raises(TooManyRequests)
    async def request_count(request: Request) -> None:
        if not has_idempotency_key or "idempotency-key" not in request.headers:
            request.scope[_QUOTA] = quota

    return Depends(request_count)


async def open_auth(request: Request) -> Auth:
    return services_of(request).auth


@sends("Set-Cookie")
async def open_cookie_jar(request: Request) -> CookieJar:
    return services_of(request).cookies


@needs(ANONYMOUS, ACCESS_TOKEN)
@raises(NotAuthenticated, SessionExpired)
async def maybe_user(request: Request) -> Principal | None:
    """The signed-in user; None without session cookies.

    Raises `NotAuthenticated` for invalid cookies, `SessionExpired` for an expired token or an
    ended session and, on unsafe methods, `CsrfFailed`.
    """
    services = services_of(request)
    cookies = services.cookies.read(request)
    if not cookies:
        return None
    if cookies.has_duplicates:
        raise NotAuthenticated
    if not cookies.access:
        raise SessionExpired
    auth = services.auth
    claims = auth.tokens.verify_access(cookies.access, clock.now())
    if cookies.refresh and auth.tokens.verify_refresh(cookies.refresh)[0] != claims.session_id:
        raise NotAuthenticated
    me = Principal(claims.user_id, claims.session_id, claims.expires_at, claims.is_verified)
    limiter = await open_quota_limiter(request)
    has_csrf_token = _has_csrf_token(request, auth.tokens, me.session_id)
    count = _requested_count(request, auth, limiter, me) if has_csrf_token else None
    if claims.is_expired or await auth.revocations.is_revoked(me.session_id, count):
        raise SessionExpired
    log_user(me.id)
    attach_session(request, me.session_id)
    if not has_csrf_token:
        raise CsrfFailed
    if count is not None:
        limiter.settle(count)
    return me


@needs(ACCESS_TOKEN)
async def current_user(principal: Annotated[Principal | None, Depends(maybe_user)]) -> Principal:
    if principal is None:
        raise NotAuthenticated
    return principal


@needs(REFRESH_TOKEN)
@raises(NotAuthenticated)
async def refresh_request(request: Request) -> refresh.RefreshRequest:
    """The request's refresh token; the service checks whether its session is live.

    Raises `NotAuthenticated` without a valid token and for cookies of two different sessions. A
    wrong CSRF token sets `is_forged`: the service raises `CsrfFailed` unless the session has ended.
    """
    services = services_of(request)
    tokens, cookies = services.auth.tokens, services.cookies.read(request)
    if not cookies.refresh or cookies.has_duplicates:
        raise NotAuthenticated
    session_id, generation = tokens.verify_refresh(cookies.refresh)
    session_from_cookies(request)  # raises if the cookies are of two sessions
    place = services.auth.geo_locator.locate(address_of(request))
    try:
        require_csrf_token(request, tokens, session_id)
    except CsrfFailed:
        return refresh.RefreshRequest(session_id, generation, place, is_forged=True)
    return refresh.RefreshRequest(session_id, generation, place, is_forged=False)


def _requested_count(
    request: Request, auth: Auth, limiter: RateLimiter, me: Principal
) -> Count | None:
    """None for a route without a quota."""
    quota = request.scope.get(_QUOTA)
    if quota is None:
        return None
    return limiter.prepare(auth.policies.member(quota, me.id, is_verified=me.is_verified))


def require_csrf_token(request: Request, tokens: Tokens, session_id: UUID) -> None:
    """The second CSRF layer: an unsafe request must send its session's token."""
    attach_session(request, session_id)
    if not _has_csrf_token(request, tokens, session_id):
        raise CsrfFailed


def _has_csrf_token(request: Request, tokens: Tokens, session_id: UUID) -> bool:
    """Whether the request has the token, or is safe without."""
    if request.method in SAFE_METHODS:
        return True
    csrf_tokens = request.headers.getlist("x-csrf-token")
    return len(csrf_tokens) == 1 and tokens.is_csrf_token(session_id, csrf_tokens[0])


@raises(NotAuthenticated)
async def live_session(request: Request, database: Database) -> UUID | None:
    """The live session of either cookie, or None; the access token may have expired.

    Raises `NotAuthenticated` for cookies of two different sessions.
    """
    session_id = session_from_cookies(request)
    if session_id is None or not await sessions.is_live(database, session_id):
        return None
    return session_id


@needs(ACCESS_TOKEN, REFRESH_TOKEN)
async def active_session(session_id: Annotated[UUID | None, Depends(live_session)]) -> UUID:
    if session_id is None:
        raise NotAuthenticated
    return session_id


@needs(ANONYMOUS, ACCESS_TOKEN, REFRESH_TOKEN)
async def session_to_end(
    request: Request, session_id: Annotated[UUID | None, Depends(live_session)]
) -> UUID | None:
    """The session to end, or None if no session is live; then no CSRF token is required."""
    if session_id is not None:
        require_csrf_token(request, services_of(request).auth.tokens, session_id)
    return session_id


@needs(ANONYMOUS, ACCESS_TOKEN, REFRESH_TOKEN, is_guarded=False)
async def previous_session(request: Request) -> UUID | None:
    """The session of the cookies, live or ended; None for missing or invalid cookies."""
    try:
        return session_from_cookies(request)
    except NotAuthenticated:
        return None


async def login_context(request: Request) -> login.LoginContext:
    services = services_of(request)
    cookie = services.cookies.read_device(request)
    device = services.auth.devices.read(cookie, clock.now()) if cookie else None
    address, locator = address_of(request), services.auth.geo_locator
    return login.LoginContext(
        actor_of(request),
        _user_agent(request),
        locator.locate(address),
        locator.country(address),
        await previous_session(request),
        device,
    )


def _user_agent(request: Request) -> str | None:
    """The User-Agent header as printable ASCII, at most 256 characters."""
    user_agent = request.headers.get("user-agent", "")[:256]
    return "".join(char if " " <= char <= "~" else "?" for char in user_agent) or None


def session_from_cookies(request: Request) -> UUID | None:
    """The session of the cookies, live or ended; None without a valid token.

    An invalid token next to a valid one is ignored, so that a user can log out even if the key
    that signed their access token has been removed. Raises `NotAuthenticated` for valid tokens of
    two sessions.
    """
    services = services_of(request)
    tokens, cookies = services.auth.tokens, services.cookies.read(request)
    session_ids: set[UUID] = set()
    if cookies.has_duplicates:
        return None
    with suppress(NotAuthenticated):
        session_ids.add(tokens.verify_access(cookies.access or "", clock.now()).session_id)
    with suppress(NotAuthenticated):
        session_ids.add(tokens.verify_refresh(cookies.refresh or "")[0])
    if len(session_ids) > 1:
        raise NotAuthenticated
    return session_ids.pop() if session_ids else None


@raises(TooManyStreams)
async def member_slot(
    request: Request, me: Annotated[Principal, Depends(current_user)]
) -> AsyncIterator[None]:
    """Hold one of the session's stream slots; raises `TooManyStreams`, `Overloaded`."""
    with services_of(request).streams.slot(me.session_id, address_of(request)):
        yield


@raises(TooManyStreams)
async def viewer_slot(
    request: Request, viewer: Annotated[Principal | None, Depends(maybe_user)]
) -> AsyncIterator[None]:
    """Like `member_slot`; without a session, hold one of the slots of the client's address."""
    session_id = viewer.session_id if viewer else None
    with services_of(request).streams.slot(session_id, address_of(request)):
        yield


async def write_quota(
    request: Request, me: Annotated[Principal, Depends(current_user)], limiter: QuotaLimiter
) -> WriteQuota:
    is_counted = _QUOTA in request.scope
    return WriteQuota(limiter, services_of(request).auth.policies, me, is_counted)


AuthTools = Annotated[Auth, Depends(open_auth)]
Cookies = Annotated[CookieJar, Depends(open_cookie_jar)]
MaybeUser = Annotated[Principal | None, Depends(maybe_user)]
CurrentUser = Annotated[Principal, Depends(current_user)]
ActiveSession = Annotated[UUID, Depends(active_session)]
RefreshRequest = Annotated[refresh.RefreshRequest, Depends(refresh_request)]
SessionToEnd = Annotated[UUID | None, Depends(session_to_end)]
PreviousSession = Annotated[UUID | None, Depends(previous_session)]
TextQuota = Annotated[WriteQuota, Depends(write_quota)]
MemberSlot = Annotated[None, Depends(member_slot)]
ViewerSlot = Annotated[None, Depends(viewer_slot)]
LoginContext = Annotated[login.LoginContext, Depends(login_context)]


@raises(InvalidCursor)
async def own_paging(
    request: Request,
    me: CurrentUser,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> PageRequest:
    """A page of the signed-in user's own list; cursors of other users are refused."""
    return page_request(request, str(me.id), limit, cursor)


OwnPaging = Annotated[PageRequest, Depends(own_paging)]
