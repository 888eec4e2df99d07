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
    summary="Create an account",
    responses=WITH_LOCATION
    | error_responses(UsernameTaken, EmailTaken, UsernameReserved, PasswordTooCommon, HashingBusy),
)
async def register(
    registration: Registration,
    response: Response,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> Me:
    """Create an account and mail a verification link. To log in, call `POST /login` next."""
    me = await accounts.register(database, auth, limiter, registration, actor)
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
    """Start a session with its tokens in HttpOnly cookies; end the browser's previous session.

    Failed attempts are limited. A third cookie, which logging out does not clear, identifies a
    browser that has logged in to the account before. Its failures are counted separately.
    """
    tokens = await login.log_in(database, auth, limiter, credentials, context)
    log_user(tokens.answer.user.id)
    cookies.set(response, tokens.access, tokens.refresh, tokens.device)
    return tokens.answer


@router.post(
    "/refresh-token",
    summary="Refresh the session",
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

    Repeating a call within 30 seconds, from another tab or after a lost response, returns the
    same refresh token. Sending an older token ends the session. Responses with
    `session_expired` or `refresh_reused` clear the cookies.
    """
    with cookies.clear_on(SessionExpired, RefreshReused):
        tokens = await refresh.refresh(database, auth, request, actor)
        log_user(tokens.answer.user.id)
    cookies.set(response, tokens.access, tokens.refresh, tokens.device)
    return tokens.answer


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, summary="Log out")
async def log_out(
    response: Response,
    session_id: SessionToEnd,  # runs a query, so it comes before the transaction
    session: Session,
    auth: AuthTools,
    cookies: Cookies,
    actor: CurrentActor,
) -> None:
    """End the session immediately and clear its cookies; also succeeds without a session."""
    if session_id is not None:
        await sessions.log_out(session, auth, session_id, actor)
    cookies.clear(response)


@router.get("/csrf-token", summary="Get the CSRF token")
async def get_csrf_token(auth: AuthTools, session_id: ActiveSession) -> CsrfToken:
    """Return the value for `X-CSRF-Token`, for use after a page reload.

    Requires the cookie of the access token or of the refresh token.
    """
    return CsrfToken(csrf_token=auth.tokens.csrf_token(session_id))


@router.get("/auth-check", summary="Get the signed-in user")
async def check_auth(me: CurrentUser, database: Database, auth: AuthTools) -> AuthCheck:
    """Return your account and the CSRF token, for use after a page reload."""
    return await accounts.check_auth(database, auth, me)
