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
    summary="Delete your account",
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
    """Delete your account and all of its content. This cannot be undone.

    When the response arrives, your sessions have ended and your profile and posts are hidden. The
    e-mail address can be used for a new account; the username is never available again.
    """
    await service.delete_account(database, auth, limiter, me, deletion.current_password, actor)
