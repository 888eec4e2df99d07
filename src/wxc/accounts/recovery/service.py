from uuid import UUID

from sqlalchemy.exc import IntegrityError

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.errors import EmailTaken
from wxc.accounts.auth.service.accounts import known_facts
from wxc.accounts.recovery.errors import InvalidToken
from wxc.accounts.recovery.repository import (
    AddressRow,
    clear_pending_address,
    lock_addresses,
    unverified_account,
    update_address,
    update_password_by_link,
    update_verified_at,
)
from wxc.accounts.sessions.service import CredentialsChange, end_all_sessions_and_notify
from wxc.core import clock
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.mail import service as mails
from wxc.mail.links import Link
from wxc.mail.schemas import MailAccepted
from wxc.models import AuditKind, MailKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor


async def request_password_reset(
    database: Database, auth: Auth, limiter: RateLimiter, email: str
) -> MailAccepted:
    """Enqueue the mail; only the worker looks up the account, so the response reveals nothing.

    Raises `RateLimited` for the client's IP address. Above the limit of the recipient's address,
    no mail is sent and the response is the same.
    """
    await limiter.count(*auth.policies.mail_request(limiter.network))
    await auth.outbox.enqueue(database.primary, MailKind.PASSWORD_RESET, address=email)
    return MailAccepted(status="accepted")


async def reset_password(
    database: Database, auth: Auth, limiter: RateLimiter, token: str, password: str, actor: Actor
) -> None:
    """Set a new password and end all sessions.

    Raises `RateLimited`, `InvalidToken` and `PasswordTooCommon`. No connection is held during
    hashing. Of concurrent uses of a link, only one succeeds.
    """
    await limiter.count(auth.policies.password_reset(limiter.network))
    link = await mails.link_for_token(database.primary, token, MailKind.PASSWORD_RESET)
    if link is None:
        raise InvalidToken
    facts = await known_facts(database, link.user_id)
    password_hash = await auth.passwords.hash_new(password, facts, is_trusted=True)
    async with database.transaction() as session:
        # Update the account before its token: the row lock serialises changes of the tokens.
        update = update_password_by_link(link.user_id, link.address, password_hash)
        if await session.fetch_one(update) is None or not await mails.consume_link(session, link):
            raise InvalidToken
        change = CredentialsChange(
            AuditKind.PASSWORD_RESET, link.user_id, link.address, ignores_limit=True
        )
        await end_all_sessions_and_notify(session, auth, change, actor)


async def request_email_verification(
    database: Database, auth: Auth, limiter: RateLimiter, me: Principal
) -> MailAccepted:
    """Send the link again unless the address is verified; raises `RateLimited`."""
    await limiter.count(*auth.policies.mail_request(limiter.network, me.id))
    account = await database.primary.fetch_one(unverified_account(me.id))
    if account is not None:
        await auth.outbox.enqueue(
            database.primary, MailKind.VERIFICATION, address=account.email, user_id=account.id
        )
    return MailAccepted(status="accepted")


async def verify_email(
    database: Database, auth: Auth, token: str, current_id: UUID | None, actor: Actor
) -> None:
    """Verify the address that the link was sent to, or change to that address.

    A change ends all sessions except `current_id`, the session of the request's cookies, if any. A
    second use has no effect. Raises `InvalidToken`, and `EmailTaken`, which cancels the change.
    """
    kinds = (MailKind.VERIFICATION, MailKind.EMAIL_CHANGE)
    link = await mails.find_link(database.primary, token, *kinds)
    if link is None:
        raise InvalidToken
    try:
        async with database.transaction() as session:
            await _use_link(session, auth, link, current_id, actor)
    except EmailTaken:  # raised after the rollback, so that the change stays cancelled
        async with database.transaction() as session:
            await _cancel_change(session, link.user_id, link.address, actor)
        raise


async def cancel_email_change(session: Session, token: str, actor: Actor) -> None:
    """Cancel the pending change, if any, with the link that the old address got.

    Raises `InvalidToken`, also after the change took effect.
    """
    link, account = await _lock_linked_account(session, token, MailKind.EMAIL_CHANGE_REQUESTED)
    if account.email != link.address:
        raise InvalidToken
    if account.pending_email is not None:
        await _cancel_change(session, link.user_id, account.pending_email, actor)


async def restore_email(session: Session, auth: Auth, token: str, actor: Actor) -> None:
    """Undo a change of the address, and all later ones, and end all sessions.

    No effect if the account has the address. Raises `InvalidToken` and `EmailTaken`.
    """
    link, account = await _lock_linked_account(session, token, MailKind.EMAIL_CHANGED)
    if account.email == link.address:
        return
    await _update_address(session, link)
    await mails.invalidate_newer_links(session, link)
    change = CredentialsChange(
        AuditKind.EMAIL_RESTORED, link.user_id, account.email, account.is_verified
    )
    await end_all_sessions_and_notify(session, auth, change, actor)


async def _lock_linked_account(
    session: Session, token: str, kind: MailKind
) -> tuple[Link, AddressRow]:
    link = await mails.link_for_token(session, token, kind)
    account = await session.fetch_one(lock_addresses(link.user_id)) if link else None
    # Look it up again: a concurrent use of another link may have ended it before the lock.
    link = await mails.link_for_token(session, token, kind)
    if link is None or account is None:
        raise InvalidToken
    return link, account


async def _use_link(
    session: Session, auth: Auth, link: Link, current_id: UUID | None, actor: Actor
) -> None:
    account = await session.fetch_one(lock_addresses(link.user_id))
    if account is None:
        raise InvalidToken
    if account.email == link.address and account.is_verified:
        return  # used before
    has_address = link.address == (
        account.pending_email if link.kind is MailKind.EMAIL_CHANGE else account.email
    )
    if not (has_address and link.is_live and await mails.consume_link(session, link)):
        raise InvalidToken
    if link.kind is MailKind.VERIFICATION:
        await session.fetch_one(update_verified_at(link.user_id, link.address, clock.now()))
        return
    await _update_address(session, link)
    change = CredentialsChange(
        AuditKind.EMAIL_CHANGED,
        link.user_id,
        account.email,
        ignores_limit=True,  # it has the link that undoes the change, and is sent once
        kept_session_id=current_id,
    )
    await end_all_sessions_and_notify(session, auth, change, actor)


async def _update_address(session: Session, link: Link) -> None:
    """Raises `EmailTaken`."""
    folded = fold_identifier(link.address)
    try:
        await session.fetch_one(update_address(link.user_id, link.address, folded, clock.now()))
    except IntegrityError:
        raise EmailTaken from None


async def _cancel_change(session: Session, user_id: UUID, address: str, actor: Actor) -> None:
    """Cancel the change to `address`, unless it is no longer pending."""
    if await session.fetch_one(clear_pending_address(user_id, address)) is not None:
        await mails.invalidate_links(session, user_id, MailKind.EMAIL_CHANGE)
        await audit.record(session, AuditKind.EMAIL_CHANGE_CANCELLED, actor, user_id=user_id)
