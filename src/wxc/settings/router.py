"""A member's own account."""

from fastapi import Response, status

from wxc.audit.dependencies import Acting
from wxc.auth.dependencies import AuthTools, CurrentUser
from wxc.auth.errors import (
    HashingBusy,
    NotAuthenticated,
    PasswordTooCommon,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.auth.schemas import Me
from wxc.core import etags
from wxc.core.dependencies import Session, Throttled, Transactions
from wxc.core.errors import PreconditionFailed, RateLimited
from wxc.core.etags import IfMatch, IfNoneMatch
from wxc.core.openapi import documented
from wxc.http.routers import make_router
from wxc.mails.schemas import MailAccepted
from wxc.settings import service
from wxc.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.settings.schemas import EmailChange, PasswordChange, Settings, UsernameChange

router = make_router("settings", prefix="/settings")


@router.get(
    "",
    summary="Your account",
    response_model=Me,
    responses=etags.ON_READ | documented(NotAuthenticated, SessionExpired),
)
async def get_settings(
    me: CurrentUser, database: Transactions, if_none_match: IfNoneMatch = None
) -> Response:
    """Your account as only you see it."""
    found = await service.find_settings(database, me)
    return etags.answer(found, if_none_match, is_signed_in=True)


@router.put(
    "",
    summary="Change how you are seen",
    responses=etags.ON_WRITE | documented(PreconditionFailed, NotAuthenticated, SessionExpired),
)
async def replace_settings(
    settings: Settings, response: Response, me: CurrentUser, session: Session, if_match: IfMatch
) -> Me:
    """Replace your name, bio, picture and currency; what you leave out is taken away.

    With `If-Match` nothing is overwritten that another of your devices has changed meanwhile.
    """
    return etags.stamped(response, await service.replace_settings(session, me, settings, if_match))


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


@router.put(
    "/email",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Change the e-mail address",
    responses=documented(WrongPassword, RateLimited, HashingBusy, NotAuthenticated, SessionExpired),
)
async def change_email(
    change: EmailChange,
    me: CurrentUser,
    database: Transactions,
    auth: AuthTools,
    throttle: Throttled,
) -> MailAccepted:
    """Have a link sent to another address, which is yours once you have used the link.

    The address that you have already calls off a change that is under way. No mail goes to the
    address of another account; the answer does not tell.
    """
    return await service.change_email(database, auth, throttle, me, change)


@router.put(
    "/username",
    summary="Change the username",
    responses=documented(
        WrongPassword,
        UsernameTaken,
        UsernameReserved,
        TooManyUsernameChanges,
        RateLimited,
        HashingBusy,
        NotAuthenticated,
        SessionExpired,
    ),
)
async def change_username(
    change: UsernameChange,
    me: CurrentUser,
    database: Transactions,
    auth: AuthTools,
    throttle: Throttled,
    actor: Acting,
) -> Me:
    """Choose another username. The old one stays yours, and you may come back to it.

    Capital and small letters may be changed at any time; other changes are counted.
    """
    return await service.change_username(database, auth, throttle, me, change, actor)
