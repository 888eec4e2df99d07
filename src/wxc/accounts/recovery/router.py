from fastapi import status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser, PreviousSession
from wxc.accounts.auth.errors import EmailTaken, HashingBusy, PasswordTooCommon
from wxc.accounts.recovery import schemas, service
from wxc.accounts.recovery.dependencies import LinkToken
from wxc.accounts.recovery.errors import InvalidToken
from wxc.db.dependencies import Database, Session
from wxc.http.dependencies import Limiter
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.mail.schemas import MailAccepted
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("auth")


@router.post(
    "/request-password-reset",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Request a password reset",
)
async def request_password_reset(
    request: schemas.PasswordResetRequest, database: Database, auth: AuthTools, limiter: Limiter
) -> MailAccepted:
    """Send a mail with a link for choosing a new password.

    The response does not reveal whether an account has this address.
    """
    return await service.request_password_reset(database, auth, limiter, request.email)


@router.post(
    "/reset-password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Reset the password by a mailed link",
    responses=error_responses(InvalidToken, PasswordTooCommon, HashingBusy),
)
async def use_reset_link(
    reset: schemas.MailedPasswordReset,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> None:
    """Set a new password with the token of a mailed link. All sessions of the account end."""
    await service.reset_password(database, auth, limiter, reset.token, reset.password, actor)


@router.post(
    "/reset-password/{token}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Reset the password",
    responses=error_responses(InvalidToken, PasswordTooCommon, HashingBusy),
)
async def reset_password(
    token: LinkToken,
    reset: schemas.PasswordReset,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> None:
    """Like `POST /reset-password`, which keeps the token out of the access logs of proxies."""
    await service.reset_password(database, auth, limiter, token, reset.password, actor)


@router.post(
    "/request-email-verification",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send the verification mail again",
)
async def request_email_verification(
    me: CurrentUser, database: Database, auth: AuthTools, limiter: Limiter
) -> MailAccepted:
    """Send the link that verifies your e-mail address again, unless it is already verified."""
    return await service.request_email_verification(database, auth, limiter, me)


@router.post(
    "/verify-email",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Verify an e-mail address by a mailed link",
    responses=error_responses(InvalidToken, EmailTaken),
)
async def use_verification_link(
    verification: schemas.MailedToken,
    database: Database,
    auth: AuthTools,
    current_id: PreviousSession,
    actor: CurrentActor,
) -> None:
    """Verify an e-mail address with the token of a mailed link; needs no session.

    If the link is for a new address, the new address replaces the old one, which receives a notice.
    All other sessions of the account then end. Repeating the call is harmless while the link lives
    and the account has the address.
    """
    await service.verify_email(database, auth, verification.token, current_id, actor)


@router.post(
    "/verify-email/{token}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Verify an e-mail address",
    responses=error_responses(InvalidToken, EmailTaken),
)
async def verify_email(
    token: LinkToken,
    database: Database,
    auth: AuthTools,
    current_id: PreviousSession,
    actor: CurrentActor,
) -> None:
    """Like `POST /verify-email`, which keeps the token out of the access logs of proxies."""
    await service.verify_email(database, auth, token, current_id, actor)


@router.post(
    "/cancel-email-change",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Stop an e-mail change",
    responses=error_responses(InvalidToken),
)
async def cancel_email_change(
    body: schemas.MailedToken, session: Session, actor: CurrentActor
) -> None:
    """Stop the pending change of the e-mail address with the link that the old address received.

    Needs no session. Repeating the call is harmless. The link is invalid after the change.
    """
    await service.cancel_email_change(session, body.token, actor)


@router.post(
    "/restore-email",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Undo an e-mail change",
    responses=error_responses(InvalidToken, EmailTaken),
)
async def restore_email(
    body: schemas.MailedToken, session: Session, auth: AuthTools, actor: CurrentActor
) -> None:
    """Restore the previous e-mail address with the link that it received, and end all sessions.

    Needs no session; the link works for 72 hours. Offer to reset the password next.
    """
    await service.restore_email(session, auth, body.token, actor)
