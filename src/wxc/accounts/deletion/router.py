"""Deleting one's account."""

from fastapi import status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.accounts.auth.errors import HashingBusy
from wxc.accounts.deletion import service
from wxc.accounts.deletion.schemas import AccountDeletion
from wxc.accounts.settings.errors import WrongPassword
from wxc.db.dependencies import Database
from wxc.http.dependencies import Limiter
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("settings", prefix="/settings")


@router.delete(
    "",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete the account",
    responses=error_responses(WrongPassword, HashingBusy),
)
async def delete_account(
    deletion: AccountDeletion,
    me: CurrentUser,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> None:
    """Delete your account with all that you have written. There is no way back.

    Your sessions end and nobody sees you any more before the answer. The e-mail address may be
    used for another account, the username never again.
    """
    await service.delete_account(database, auth, limiter, me, deletion.current_password, actor)
