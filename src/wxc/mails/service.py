"""Mails to be sent, and the links in them: what may happen, and what follows.

Every row is written in the caller's transaction, so a mail is sent if, and only if, that commits.
Whoever ends or makes tokens has locked the account's row before: tokens are made under that lock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.ids import new_id
from wxc.mails.links import Link, Links, digest
from wxc.mails.repository import OutboxReader, OutboxRepository, TokenReader, TokenRepository
from wxc.models import MailKind

_OVERDUE = timedelta(minutes=5)
_MOURNED = timedelta(hours=1)  # how long a mail that was given up counts as backlog


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a mail is for, and the link that it carries."""

    username: str
    address: str
    url: str | None


class NotWanted(Exception):  # noqa: N818 - a fact, not an error
    """The mail must not be sent any more; the argument says why."""


class NobodyThere(NotWanted):
    """There is no account behind the address, or none that may receive links."""


async def enqueue(
    session: AsyncSession,
    kind: MailKind,
    *,
    address: str,
    user_id: UUID | None = None,
    dedup_key: str | None = None,
) -> UUID:
    """Have a mail sent once this transaction has committed; a repeated `dedup_key` sends none.

    Without `user_id` the worker looks up whose the address is.
    """
    mail_id = new_id()
    await OutboxRepository(session).add(
        mail_id,
        kind,
        address=address,
        user_id=user_id,
        dedup_key=dedup_key or f"{kind}:{mail_id}",
        moment=clock.now(),
    )
    return mail_id


async def find_link(reader: Reader, token: str, *kinds: MailKind) -> Link | None:
    """What the token is good for now; None when it is good for nothing."""
    stored = digest(token)
    row = await TokenReader(reader).live(stored, kinds, clock.now()) if stored else None
    return Link(row.mail_id, row.user_id, MailKind(row.kind), row.address) if row else None


async def use_link(session: AsyncSession, link: Link) -> bool:
    """Use the link up; False when somebody else was faster."""
    return await TokenRepository(session).end(link.mail_id, clock.now())


async def void_links(session: AsyncSession, user_id: UUID, *kinds: MailKind) -> None:
    """Make the account's open links void; those of these kinds, or all."""
    await TokenRepository(session).end_all(user_id, kinds or tuple(MailKind), clock.now())


async def has_backlog(reader: Reader) -> bool:
    """Whether mails have been due for more than five minutes, or were given up in the last hour."""
    moment = clock.now()
    return await OutboxReader(reader).has_backlog(
        due_before=moment - _OVERDUE, dead_since=moment - _MOURNED
    )


@dataclass(frozen=True, slots=True)
class Outbox:
    """How the outbox is doing."""

    due: int
    oldest: datetime | None
    """Since when the first of those has been due."""
    dead: int
    """Given up within the last hour."""


async def outbox(reader: Reader) -> Outbox:
    """Count what should have been sent by now, and what will not be."""
    moment = clock.now()
    found = await OutboxReader(reader).tally(moment=moment, dead_since=moment - _MOURNED)
    return Outbox(found.due, found.oldest, found.dead)


async def address_mail(session: AsyncSession, links: Links, mail: AnyRow) -> Recipient:
    """Whom the mail is for, its token made at the first attempt; raises `NotWanted`."""
    kind = MailKind(mail.kind)
    outbox = OutboxRepository(session)
    account = await outbox.recipient(mail)
    if account is None:
        raise NobodyThere
    if not links.is_in(kind):
        return Recipient(account.username, mail.address, None)
    if account.suspended_at is not None:
        raise NobodyThere
    if not _fits(kind, mail.address, account):
        raise NotWanted("the account has changed")
    if kind is MailKind.EMAIL_CHANGE and await outbox.has_another(mail.address, account.id):
        raise NotWanted("the address is another account's")
    # An address that was typed is like the account's, but for the case of its letters, and what
    # is the same letter to us need not be to another mail server: only the stored one is used.
    address = mail.address if mail.user_id is not None else account.email
    await _make_token(session, links, mail, Link(mail.id, account.id, kind, address))
    return Recipient(account.username, address, links.url(kind, mail.id))


def _fits(kind: MailKind, address: str, account: AnyRow) -> bool:
    """Whether the account is still as the link presumes."""
    if kind is MailKind.VERIFICATION:
        return bool(account.email == address and account.email_verified_at is None)
    return kind is not MailKind.EMAIL_CHANGE or bool(account.pending_email == address)


async def _make_token(session: AsyncSession, links: Links, mail: AnyRow, link: Link) -> None:
    """Store the mail's token unless it is there; it lives from the first attempt, newest wins."""
    tokens, moment = TokenRepository(session), clock.now()
    made = await tokens.of_mail(mail.id)
    if made is None:
        if await tokens.has_newer(link.user_id, link.kind, mail.id):
            raise NotWanted("a newer one has been sent")
        await tokens.end_all(link.user_id, (link.kind,), moment)
        expires_at = mail.first_attempt_at + links.lifetime(link.kind)
        await tokens.add(link, digest=links.digest(mail.id), expires_at=expires_at)
    elif made.ended_at is not None or made.expires_at <= moment or made.address != link.address:
        raise NotWanted("its link has ended")
