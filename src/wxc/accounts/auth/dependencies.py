"""Who asks: a session's cookies, read, checked against revocation and against CSRF."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.cookies import CookieJar
from wxc.accounts.auth.errors import NotAuthenticated, SessionExpired
from wxc.accounts.auth.security import ACCESS_TOKEN, REFRESH_TOKEN
from wxc.accounts.auth.service import sessions
from wxc.accounts.auth.service.sessions import RefreshClaim, Visit
from wxc.accounts.auth.tokens import Tokens
from wxc.core import clock
from wxc.core.logging import log_user
from wxc.db.dependencies import CursorParameter, Database, Limit, page_request
from wxc.db.keyset import DEFAULT_LIMIT, PageRequest
from wxc.http.dependencies import address_of
from wxc.http.middleware.csrf_origin_check import SAFE_METHODS
from wxc.http.openapi import ANONYMOUS, needs, raises, sends
from wxc.http.refusals.access import CsrfFailed, TooManyStreams
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of
from wxc.moderation.audit.dependencies import actor_of, remember_session


async def open_auth(request: Request) -> Auth:
    """The application's tokens, password pool and revocations."""
    return services_of(request).auth


@sends("Set-Cookie")
async def open_cookie_jar(request: Request) -> CookieJar:
    """The application's cookie names and attributes, to set cookies."""
    return services_of(request).cookies


@needs(ANONYMOUS, ACCESS_TOKEN)
@raises(NotAuthenticated, SessionExpired)
async def maybe_user(request: Request) -> Principal | None:
    """Who asks, or None without session cookies; a bad or ended session is never anonymous.

    Raises `NotAuthenticated`, `SessionExpired` and, on unsafe methods, `CsrfFailed`.
    """
    services = services_of(request)
    cookies = services.cookies.read(request)
    if not cookies:
        return None
    if cookies.is_doubled:
        raise NotAuthenticated
    if not cookies.access:
        raise SessionExpired
    auth = services.auth
    claims = auth.tokens.read_access(cookies.access, clock.now())
    if cookies.refresh and auth.tokens.read_refresh(cookies.refresh)[0] != claims.session_id:
        raise NotAuthenticated
    if claims.is_expired or await auth.revocations.is_ended(claims.session_id):
        raise SessionExpired
    log_user(claims.user_id)
    refuse_forgery(request, auth.tokens, claims.session_id)
    return Principal(claims.user_id, claims.session_id, claims.expires_at)


@needs(ACCESS_TOKEN)
async def current_user(principal: Annotated[Principal | None, Depends(maybe_user)]) -> Principal:
    """Who asks; raises `NotAuthenticated` when nobody is signed in."""
    if principal is None:
        raise NotAuthenticated
    return principal


@needs(REFRESH_TOKEN)
@raises(NotAuthenticated)
async def refresh_claim(request: Request) -> RefreshClaim:
    """The refresh token of the cookies; whether the session lives is for the service to say.

    Raises `NotAuthenticated` without a genuine one, and for cookies of two different sessions.
    """
    services = services_of(request)
    tokens, cookies = services.auth.tokens, services.cookies.read(request)
    if not cookies.refresh or cookies.is_doubled:
        raise NotAuthenticated
    session_id, generation = tokens.read_refresh(cookies.refresh)
    stated_session(request)  # of both cookies; refuses those of two different sessions
    place = services.auth.geo_locator.locate(address_of(request))
    try:
        refuse_forgery(request, tokens, session_id)
    except CsrfFailed:
        return RefreshClaim(session_id, generation, place, is_forged=True)
    return RefreshClaim(session_id, generation, place, is_forged=False)


def refuse_forgery(request: Request, tokens: Tokens, session_id: UUID) -> None:
    """The second layer against CSRF: an unsafe request must show its session's token."""
    remember_session(request, session_id)
    if request.method in SAFE_METHODS:
        return
    shown = request.headers.getlist("x-csrf-token")
    if len(shown) != 1 or not tokens.is_csrf(session_id, shown[0]):
        raise CsrfFailed


@raises(NotAuthenticated)
async def live_session(request: Request, database: Database) -> UUID | None:
    """The live session of either cookie, the access token's expiry ignored; None without one.

    Raises `NotAuthenticated` for cookies of two different sessions.
    """
    session_id = stated_session(request)
    if session_id is None or not await sessions.is_live(database, session_id):
        return None
    return session_id


@needs(ACCESS_TOKEN, REFRESH_TOKEN)
async def held_session(session_id: Annotated[UUID | None, Depends(live_session)]) -> UUID:
    """The live session of either cookie; raises `NotAuthenticated` without one."""
    if session_id is None:
        raise NotAuthenticated
    return session_id


@needs(ANONYMOUS, ACCESS_TOKEN, REFRESH_TOKEN)
async def leaving_session(
    request: Request, session_id: Annotated[UUID | None, Depends(live_session)]
) -> UUID | None:
    """The live session to end; only a live one needs to be guarded against forgery."""
    if session_id is not None:
        refuse_forgery(request, services_of(request).auth.tokens, session_id)
    return session_id


@needs(ANONYMOUS, ACCESS_TOKEN, REFRESH_TOKEN, is_guarded=False)
async def former_session(request: Request) -> UUID | None:
    """The session that this browser had before; strange cookies do not keep anyone out."""
    return _former_session(request)


def _former_session(request: Request) -> UUID | None:
    try:
        return stated_session(request)
    except NotAuthenticated:
        return None


async def visit(request: Request) -> Visit:
    """What the browser that somebody logs in with brings along."""
    services = services_of(request)
    cookie = services.cookies.read_device(request)
    device = services.auth.devices.read(cookie, clock.now()) if cookie else None
    place = services.auth.geo_locator.locate(address_of(request))
    return Visit(actor_of(request), _user_agent(request), place, _former_session(request), device)


def _user_agent(request: Request) -> str | None:
    """What the browser calls itself, as printable ASCII, at most 256 characters."""
    said = request.headers.get("user-agent", "")[:256]
    return "".join(letter if " " <= letter <= "~" else "?" for letter in said) or None


def stated_session(request: Request) -> UUID | None:
    """The session that genuine cookies speak of, alive or not; None for garbage.

    An unreadable token beside a genuine one is passed over: who wants to leave may leave, also
    when the key of their access token is no longer ours. Raises `NotAuthenticated` for two
    genuine ones of different sessions.
    """
    services = services_of(request)
    tokens, cookies = services.auth.tokens, services.cookies.read(request)
    stated: set[UUID] = set()
    if cookies.is_doubled:
        return None
    with suppress(NotAuthenticated):
        stated.add(tokens.read_access(cookies.access or "", clock.now()).session_id)
    with suppress(NotAuthenticated):
        stated.add(tokens.read_refresh(cookies.refresh or "")[0])
    if len(stated) > 1:
        raise NotAuthenticated
    return stated.pop() if stated else None


@raises(TooManyStreams)
async def member_slot(
    request: Request, me: Annotated[Principal, Depends(current_user)]
) -> AsyncIterator[None]:
    """Holds a slot for a live stream of the session; raises `TooManyStreams`, `Overloaded`."""
    with services_of(request).streams.slot(me.session_id, address_of(request)):
        yield


@raises(TooManyStreams)
async def viewer_slot(
    request: Request, viewer: Annotated[Principal | None, Depends(maybe_user)]
) -> AsyncIterator[None]:
    """As `member_slot`; without a session, a slot of the address."""
    session_id = viewer.session_id if viewer else None
    with services_of(request).streams.slot(session_id, address_of(request)):
        yield


@raises(TooManyStreams)
async def export_slot(
    request: Request, me: Annotated[Principal, Depends(current_user)]
) -> AsyncIterator[None]:
    """Holds a slot for an export of the session; raises `TooManyStreams`, `Overloaded`."""
    with services_of(request).streams.export_slot(me.session_id):
        yield


AuthTools = Annotated[Auth, Depends(open_auth)]
Cookies = Annotated[CookieJar, Depends(open_cookie_jar)]
MaybeUser = Annotated[Principal | None, Depends(maybe_user)]
CurrentUser = Annotated[Principal, Depends(current_user)]
HeldSession = Annotated[UUID, Depends(held_session)]
Claim = Annotated[RefreshClaim, Depends(refresh_claim)]
LeavingSession = Annotated[UUID | None, Depends(leaving_session)]
FormerSession = Annotated[UUID | None, Depends(former_session)]
MemberSlot = Annotated[None, Depends(member_slot)]
ViewerSlot = Annotated[None, Depends(viewer_slot)]
ExportSlot = Annotated[None, Depends(export_slot)]
Visitor = Annotated[Visit, Depends(visit)]


@raises(InvalidCursor)
async def own_paging(
    request: Request,
    me: CurrentUser,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> PageRequest:
    """A page of a list that is the asker's own: nobody else's cursor opens it."""
    return page_request(request, str(me.id), limit, cursor)


OwnPaging = Annotated[PageRequest, Depends(own_paging)]
