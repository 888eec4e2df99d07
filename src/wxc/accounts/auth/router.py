"""Register, log in, stay signed in, log out."""

from fastapi import Response, status

from wxc.accounts.auth.dependencies import (
    ActiveSession,
    AuthTools,
    Cookies,
    CurrentUser,
    LoginContext,
    RefreshRequest,
    SessionToEnd,
)
from wxc.accounts.auth.errors import (
    AccountSuspended,
    EmailTaken,
    HashingBusy,
    InvalidCredentials,
    PasswordTooCommon,
    RefreshReused,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.accounts.auth.schemas import AuthCheck, Credentials, CsrfToken, LoggedIn, Me, Registration
from wxc.accounts.auth.service import accounts, login, refresh, sessions
from wxc.core.logging import log_user
from wxc.db.dependencies import Database, Session
from wxc.http.dependencies import Limiter
from wxc.http.openapi import WITH_LOCATION, error_responses
from wxc.http.routers import make_router
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("auth")


@router.post(
    "/register",
    status_code=status.HTTP_201_CREATED,
    summary="Open an account",
    responses=WITH_LOCATION
    | error_responses(UsernameTaken, EmailTaken, UsernameReserved, PasswordTooCommon, HashingBusy),
)
async def register(
    registration: Registration,
    response: Response,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
) -> Me:
    """Open an account. You are not logged in by it: `POST /login` does that."""
    me = await accounts.register(database, auth, limiter, registration)
    response.headers["Location"] = f"/users/{me.username}"
    return me


@router.post(
    "/login",
    summary="Log in",
    responses=error_responses(InvalidCredentials, AccountSuspended, HashingBusy),
)
async def log_in(
    credentials: Credentials,
    response: Response,
    database: Database,
    auth: AuthTools,
    cookies: Cookies,
    limiter: Limiter,
    context: LoginContext,
) -> LoggedIn:
    """Open a session. Its tokens are in HttpOnly cookies; a former session here ends.

    Failed tries are limited. A browser in which the account has been used before has a limit of
    its own, by a third cookie that no logout clears.
    """
    tokens = await login.log_in(database, auth, limiter, credentials, context)
    log_user(tokens.answer.user.id)
    cookies.set(response, tokens.access, tokens.refresh, tokens.device)
    return tokens.answer


@router.post(
    "/refresh-token",
    summary="Stay signed in",
    responses=error_responses(SessionExpired, RefreshReused),
)
async def refresh_token(
    response: Response,
    database: Database,
    auth: AuthTools,
    cookies: Cookies,
    request: RefreshRequest,
    actor: CurrentActor,
) -> LoggedIn:
    """Exchange the refresh token for new tokens of the same session, in new cookies.

    A repeated call within 30 seconds, by another tab or after an answer that was lost, gets the
    same refresh token. Older ones end the session. Two of the refusals clear the cookies.
    """
    with cookies.clear_on(SessionExpired, RefreshReused):
        tokens = await refresh.refresh(database, auth, request, actor)
        log_user(tokens.answer.user.id)
    cookies.set(response, tokens.access, tokens.refresh, tokens.device)
    return tokens.answer


@router.post(
    "/logout",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Log out",
)
async def log_out(
    response: Response,
    session_id: SessionToEnd,  # reads by itself, so it comes before the transaction
    session: Session,
    auth: AuthTools,
    cookies: Cookies,
    actor: CurrentActor,
) -> None:
    """End the session on every instance and clear the cookies; harmless without a session."""
    if session_id is not None:
        await sessions.log_out(session, auth, session_id, actor)
    cookies.clear(response)


@router.get("/csrf-token", summary="The session's CSRF token")
async def get_csrf_token(auth: AuthTools, session_id: ActiveSession) -> CsrfToken:
    """The token for `X-CSRF-Token`, for a page that was reloaded; either cookie will do."""
    return CsrfToken(csrf_token=auth.tokens.csrf_token(session_id))


@router.get(
    "/auth-check",
    summary="Who is logged in",
)
async def check_auth(me: CurrentUser, database: Database, auth: AuthTools) -> AuthCheck:
    """Who is logged in, and the CSRF token, for a page that was reloaded."""
    return await accounts.check_auth(database, auth, me)
