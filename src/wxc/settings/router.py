"""A member's own account."""

from fastapi import APIRouter, status

from wxc.audit.dependencies import Acting
from wxc.auth.dependencies import AuthTools, CurrentUser
from wxc.auth.errors import HashingBusy, NotAuthenticated, PasswordTooCommon, SessionExpired
from wxc.core.dependencies import Throttled, Transactions
from wxc.core.errors import RateLimited
from wxc.core.openapi import documented
from wxc.settings import service
from wxc.settings.errors import WrongPassword
from wxc.settings.schemas import PasswordChange

router = APIRouter(prefix="/settings", tags=["settings"])


@router.put(
    "/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change the password",
    responses=documented(
        WrongPassword,
        PasswordTooCommon,
        HashingBusy,
        NotAuthenticated,
        SessionExpired,
        RateLimited,
    ),
)
async def change_password(
    change: PasswordChange,
    me: CurrentUser,
    database: Transactions,
    auth: AuthTools,
    throttle: Throttled,
    actor: Acting,
) -> None:
    """Change your password. All of your other sessions end, and a mail tells you about it."""
    await service.change_password(database, auth, throttle, me, change, actor)
