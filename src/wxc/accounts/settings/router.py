"""A member's own account."""

from fastapi import Response, status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.accounts.auth.errors import HashingBusy, PasswordTooCommon, UsernameReserved, UsernameTaken
from wxc.accounts.auth.schemas import Me
from wxc.accounts.settings import service
from wxc.accounts.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.accounts.settings.schemas import EmailChange, PasswordChange, Settings, UsernameChange
from wxc.db.dependencies import Database
from wxc.http import etags
from wxc.http.dependencies import Limiter
from wxc.http.etags import IfMatch, IfNoneMatch
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.mail.schemas import MailAccepted
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("settings", prefix="/settings")


@router.get(
    "",
    summary="Your account",
    response_model=Me,
    responses=etags.ON_READ,
)
async def get_settings(
    me: CurrentUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """Your account as only you see it."""
    settings = await service.find_settings(database, me)
    return etags.conditional_response(settings, if_none_match, is_signed_in=True)


@router.put(
    "",
    summary="Change how you are seen",
    responses=etags.ON_WRITE,
)
async def replace_settings(
    settings: Settings, response: Response, me: CurrentUser, database: Database, if_match: IfMatch
) -> Me:
    """Replace your name, bio, picture and currency; what you leave out is taken away.

    With `If-Match` nothing is overwritten that another of your devices has changed meanwhile.
    """
    changed = await service.replace_settings(database, me, settings, if_match)
    return etags.with_etag(response, changed)


@router.put(
    "/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change the password",
    responses=error_responses(WrongPassword, PasswordTooCommon, HashingBusy),
)
async def change_password(
    change: PasswordChange,
    me: CurrentUser,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> None:
    """Change your password. All of your other sessions end, and a mail tells you about it."""
    await service.change_password(database, auth, limiter, me, change, actor)


@router.put(
    "/email",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Change the e-mail address",
    responses=error_responses(WrongPassword, HashingBusy),
)
async def change_email(
    change: EmailChange,
    me: CurrentUser,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
) -> MailAccepted:
    """Have a link sent to another address, which is yours once you have used the link.

    The address that you have already calls off a change that is under way. No mail goes to the
    address of another account; the answer does not tell.
    """
    return await service.change_email(database, auth, limiter, me, change)


@router.put(
    "/username",
    summary="Change the username",
    responses=error_responses(
        WrongPassword, UsernameTaken, UsernameReserved, TooManyUsernameChanges, HashingBusy
    ),
)
async def change_username(
    change: UsernameChange,
    me: CurrentUser,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> Me:
    """Choose another username. The old one stays yours, and you may come back to it.

    Capital and small letters may be changed at any time; other changes are counted.
    """
    return await service.change_username(database, auth, limiter, me, change, actor)
