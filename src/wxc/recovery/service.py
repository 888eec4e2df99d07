"""What mailed links do: another password, a proven or another address."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.auth.errors import PasswordTooCommon
from wxc.auth.passwords import is_common
from wxc.core import clock
from wxc.core.database import Database
from wxc.core.limits import Throttle
from wxc.mails import service as mails
from wxc.mails.links import Link
from wxc.mails.schemas import MailAccepted
from wxc.models import AuditKind, MailKind
from wxc.recovery.errors import InvalidToken
from wxc.recovery.repository import RecoveryRepository
from wxc.sessions.service import shut_out_and_tell


async def request_password_reset(
    session: AsyncSession, auth: Auth, throttle: Throttle, email: str
) -> MailAccepted:
    """Have the worker find out whether there is such an account; nobody here looks.

    Raises `RateLimited` by address of the client; too many for one recipient go nowhere, silently.
    """
    await throttle.count(auth.policies.mail_request(throttle.network))
    if await throttle.count_silently(auth.policies.mail_to(email)):
        await mails.enqueue(session, MailKind.PASSWORD_RESET, address=email)
    return MailAccepted(status="accepted")


async def reset_password(
    database: Database, auth: Auth, throttle: Throttle, token: str, password: str, actor: Actor
) -> None:
    """Choose another password and end every session.

    Raises `RateLimited`, `PasswordTooCommon` and `InvalidToken`. No connection is held while we
    are hashing; of two uses of a link at once one wins.
    """
    await throttle.count(auth.policies.password_reset(throttle.network))
    if is_common(password):
        raise PasswordTooCommon
    async with database.guarding() as reader:
        link = await mails.find_link(reader, token, MailKind.PASSWORD_RESET)
    if link is None:
        raise InvalidToken
    password_hash = await auth.passwords.hash(password, trusted=True)
    async with database.transaction() as session:
        accounts = RecoveryRepository(session)
        # The account first: whoever touches its tokens waits for its row.
        if not await accounts.replace_password(link.user_id, link.address, password_hash):
            raise InvalidToken
        if not await mails.use_link(session, link):
            raise InvalidToken
        await shut_out_and_tell(
            session, auth, link.user_id, AuditKind.PASSWORD_RESET, actor, address=link.address
        )


async def request_email_verification(
    session: AsyncSession, auth: Auth, throttle: Throttle, me: Principal
) -> MailAccepted:
    """Send the link again, unless the address is proven already; limited like a reset."""
    await throttle.count(auth.policies.mail_request(throttle.network))
    account = await RecoveryRepository(session).unverified(me.id)
    if account is not None and await throttle.count_silently(auth.policies.mail_to(account.email)):
        await mails.enqueue(
            session, MailKind.VERIFICATION, address=account.email, user_id=account.id
        )
    return MailAccepted(status="accepted")


async def verify_email(
    session: AsyncSession, auth: Auth, token: str, current: UUID | None, actor: Actor
) -> None:
    """Do what the link promises to who reads the mails of its address.

    Raises `InvalidToken`. A new address ends every session but the `current` one: the one whose
    cookies come along, which may be nobody's, since the link needs no session.
    """
    link = await mails.find_link(session, token, MailKind.VERIFICATION, MailKind.EMAIL_CHANGE)
    if link is None:
        raise InvalidToken
    if link.kind is MailKind.EMAIL_CHANGE:
        await _change_address(session, auth, link, current, actor)
    else:
        await _prove_address(session, link)


async def _prove_address(session: AsyncSession, link: Link) -> None:
    accounts = RecoveryRepository(session)
    if not await accounts.verify_address(link.user_id, link.address, clock.now()):
        raise InvalidToken
    if not await mails.use_link(session, link):
        raise InvalidToken


async def _change_address(
    session: AsyncSession, auth: Auth, link: Link, current: UUID | None, actor: Actor
) -> None:
    accounts = RecoveryRepository(session)
    former = await accounts.lock_changing(link.user_id, link.address)
    if former is None or not await mails.use_link(session, link):
        raise InvalidToken
    if not await accounts.replace_address(link.user_id, link.address, clock.now()):
        raise InvalidToken
    await shut_out_and_tell(
        session, auth, link.user_id, AuditKind.EMAIL_CHANGED, actor, address=former, kept=current
    )
