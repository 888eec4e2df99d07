"""Forgotten passwords and unproven addresses."""

from typing import Annotated

from fastapi import Path, status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser, PreviousSession
from wxc.accounts.auth.errors import HashingBusy, PasswordTooCommon
from wxc.accounts.recovery import service
from wxc.accounts.recovery.errors import InvalidToken
from wxc.accounts.recovery.schemas import PasswordReset, PasswordResetRequest
from wxc.db.dependencies import Database, Session
from wxc.http.dependencies import Limiter
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.mail.schemas import MailAccepted
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("auth")
# A plain string: whatever is not one of our tokens is refused in one and the same way.
Token = Annotated[
    str,
    Path(
        description="What follows `#token=` in the mailed link.",
        json_schema_extra={"format": "token"},
        examples=["rJ1uVnnJMB1Kx4IhCLvp6ZtOQ5c3kSPd0wXy7aGfE2M"],
    ),
]


@router.post(
    "/request-password-reset",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Forgot the password",
)
async def request_password_reset(
    request: PasswordResetRequest, database: Database, auth: AuthTools, limiter: Limiter
) -> MailAccepted:
    """Have a link sent with which another password can be chosen.

    The answer is the same whether or not there is an account with this address.
    """
    return await service.request_password_reset(database, auth, limiter, request.email)


@router.post(
    "/reset-password/{token}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Choose another password",
    responses=error_responses(InvalidToken, PasswordTooCommon, HashingBusy),
)
async def reset_password(
    token: Token,
    reset: PasswordReset,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> None:
    """Choose another password with a mailed link. Every session of the account ends."""
    await service.reset_password(database, auth, limiter, token, reset.password, actor)


@router.post(
    "/request-email-verification",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send the verification mail again",
)
async def request_email_verification(
    me: CurrentUser, database: Database, auth: AuthTools, limiter: Limiter
) -> MailAccepted:
    """Have the link sent again that proves your e-mail address, unless it is proven."""
    return await service.request_email_verification(database, auth, limiter, me)


@router.post(
    "/verify-email/{token}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Prove an e-mail address",
    responses=error_responses(InvalidToken),
)
async def verify_email(
    token: Token,
    session: Session,
    auth: AuthTools,
    current_id: PreviousSession,
    actor: CurrentActor,
) -> None:
    """Prove with a mailed link that an e-mail address is yours; needs no session.

    The link of a new address puts it in place of the old one, which is told. Every session of the
    account ends then, but the one that follows the link, if any does.
    """
    await service.verify_email(session, auth, token, current_id, actor)
