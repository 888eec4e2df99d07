from fastapi import Response, status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.accounts.auth.errors import HashingBusy, PasswordTooCommon, UsernameReserved, UsernameTaken
from wxc.accounts.auth.schemas import Me
from wxc.accounts.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.accounts.settings.schemas import EmailChange, PasswordChange, Settings, UsernameChange
from wxc.accounts.settings.service import account, email
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
    summary="Get your account",
    response_model=Me,
    responses=etags.ON_READ,
)
async def get_settings(
    me: CurrentUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """Get your account, including the data that only you can see."""
    settings = await account.find_settings(database, me)
    return etags.conditional_response(settings, if_none_match, is_signed_in=True)


@router.put(
    "",
    summary="Replace your profile settings",
    responses=etags.ON_WRITE,
)
async def replace_settings(
    settings: Settings, response: Response, me: CurrentUser, database: Database, if_match: IfMatch
) -> Me:
    """Replace your display name, bio, picture and home currency; omitted fields are cleared.

    Send `If-Match` to avoid overwriting a change made on another device.
    """
    changed = await account.replace_settings(database, me, settings, if_match)
    return etags.with_etag(response, changed)


@router.put(
    "/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change your password",
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
    """Change your password. All your other sessions end, and you receive a notice by mail."""
    await account.change_password(database, auth, limiter, me, change, actor)


@router.put(
    "/email",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Change your e-mail address",
    responses=error_responses(WrongPassword, HashingBusy),
)
async def change_email(
    change: EmailChange,
    me: CurrentUser,
    database: Database,
    auth: AuthTools,
    limiter: Limiter,
    actor: CurrentActor,
) -> MailAccepted:
    """Send a link to a new e-mail address; the address changes when you use the link.

    Your old address receives a link that stops the change. Sending your current address cancels a
    pending change. If another account has the new address, no mail is sent, and the response is the
    same.
    """
    return await email.change_email(database, auth, limiter, me, change, actor)


@router.put(
    "/username",
    summary="Change your username",
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
    """Change your username. The old one stays reserved for you, and you can return to it.

    You can always change upper and lower case; other changes are limited per year.
    """
    return await account.change_username(database, auth, limiter, me, change, actor)
