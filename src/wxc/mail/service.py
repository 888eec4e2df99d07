"""The recipients of e-mails, and the links in them.

Callers lock the account's row before they create or end tokens.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from wxc.core import clock
from wxc.core.text import fold_identifier
from wxc.db.handle import Handle
from wxc.db.session import Session
from wxc.mail.links import Link, Links, digest
from wxc.mail.repository.outbox import (
    MailRow,
    OutboxCounts,
    RecipientRow,
    lock_recipient_by_address,
    lock_recipient_by_id,
    other_account_with_address,
    outbox_backlog,
    outbox_counts,
)
from wxc.mail.repository.tokens import (
    end_newer_tokens,
    end_token,
    end_tokens_of,
    insert_token,
    newer_token,
    token_of_mail,
    unexpired_link,
)
from wxc.models import NOTICE_KINDS, MailKind

_REVOCABLE_KINDS = (MailKind.PASSWORD_RESET, MailKind.EMAIL_CHANGE)
_OVERDUE_AGE = timedelta(minutes=5)
_DEAD_MAIL_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Recipient:
    username: str
    address: str
    url: str | None
    """The link; None for a kind without one."""


class Obsolete(Exception):  # noqa: N818 - an expected outcome
    """The e-mail must not be sent any more; the argument is the reason."""


class RecipientGone(Obsolete):
    """No account has the address, or the account may not receive links."""


async def find_link(db: Handle, token: str, *kinds: MailKind) -> Link | None:
    """The link of a token, perhaps no longer live; None if it is unknown or expired."""
    stored = digest(token)
    row = await db.fetch_one(unexpired_link(stored, kinds, clock.now())) if stored else None
    return row and Link(row.mail_id, row.user_id, MailKind(row.kind), row.address, row.is_live)


async def link_for_token(db: Handle, token: str, *kinds: MailKind) -> Link | None:
    """The link of a token; None if it is unknown, used or expired."""
    link = await find_link(db, token, *kinds)
    return link if link and link.is_live else None


async def consume_link(session: Session, link: Link) -> bool:
    """Mark the link as used; False if a concurrent request used it first."""
    return await session.fetch_one(end_token(link.mail_id, clock.now())) is not None


async def invalidate_links(session: Session, user_id: UUID, *kinds: MailKind) -> None:
    """Invalidate the account's unused links of these kinds, by default of all revocable ones.

    Those in notices remain: an attacker with access to the account must not end them. The
    link of the registration remains, since it only verifies the address that the account has.
    """
    await session.fetch(end_tokens_of(user_id, kinds or _REVOCABLE_KINDS, clock.now()))


async def invalidate_newer_links(session: Session, link: Link) -> None:
    """Invalidate the account's links of the same kind in later e-mails, and this one not."""
    await session.fetch(end_newer_tokens(link.user_id, link.kind, link.mail_id, clock.now()))


async def has_backlog(db: Handle) -> bool:
    """Whether an e-mail is overdue by five minutes, or was given up in the last hour."""
    moment = clock.now()
    query = outbox_backlog(moment - _OVERDUE_AGE, moment - _DEAD_MAIL_WINDOW)
    (row,) = await db.fetch(query)
    return row.has_backlog


async def count_outbox(db: Handle) -> OutboxCounts:
    """Count the e-mails that are due, and those given up in the last hour."""
    moment = clock.now()
    (row,) = await db.fetch(outbox_counts(moment, moment - _DEAD_MAIL_WINDOW))
    return row


async def resolve_recipient(session: Session, links: Links, mail: MailRow) -> Recipient:
    """Look up the recipient; the first attempt creates the token. Raises `Obsolete`."""
    kind = MailKind(mail.kind)
    account = await _lock_recipient(session, mail)
    if account is None:
        raise RecipientGone
    if not links.has_link(kind):
        return Recipient(account.username, mail.address, None)
    if account.suspended_at is not None or account.email is None:
        if kind is MailKind.EMAIL_CHANGED:  # still worth knowing
            return Recipient(account.username, mail.address, None)
        raise RecipientGone
    if not _is_current(kind, mail.address, account):
        raise Obsolete("its link no longer matches the account")
    if kind in (MailKind.EMAIL_CHANGE, MailKind.EMAIL_CHANGE_REQUESTED):
        folded = fold_identifier(account.pending_email or "")
        if await session.fetch_one(other_account_with_address(folded, account.id)) is not None:
            raise Obsolete("the new address belongs to another account")
    # The requested address may differ from the stored one in characters that we fold. Their mail
    # server may not fold them, so only the stored address is used.
    address = mail.address if mail.user_id is not None else account.email
    await _ensure_token(session, links, mail, Link(mail.id, account.id, kind, address))
    return Recipient(account.username, address, links.url(kind, mail.id))


async def _lock_recipient(session: Session, mail: MailRow) -> RecipientRow | None:
    if mail.user_id is not None:
        return await session.fetch_one(lock_recipient_by_id(mail.user_id))
    return await session.fetch_one(lock_recipient_by_address(fold_identifier(mail.address)))


def _is_current(kind: MailKind, address: str, account: RecipientRow) -> bool:
    if kind is MailKind.VERIFICATION:
        return account.email == address and account.email_verified_at is None
    if kind is MailKind.EMAIL_CHANGE_REQUESTED:
        return account.email == address and account.pending_email is not None
    if kind is MailKind.EMAIL_CHANGED:
        return account.email != address
    return kind is not MailKind.EMAIL_CHANGE or account.pending_email == address


async def _ensure_token(session: Session, links: Links, mail: MailRow, link: Link) -> None:
    """Store the token unless it exists; a requested one ends older tokens of its kind.

    The lifetime begins with the first delivery attempt. Raises `Obsolete`.
    """
    moment = clock.now()
    token = await session.fetch_one(token_of_mail(mail.id))
    if token is None:
        if link.kind not in NOTICE_KINDS:
            await _end_older_tokens(session, link)
        expires_at = mail.first_attempt_at + links.lifetime(link.kind)
        stored = links.digest(mail.id)
        await session.fetch_one(
            insert_token(mail.id, link.user_id, link.kind, link.address, stored, expires_at)
        )
    elif token.ended_at is not None or token.expires_at <= moment or token.address != link.address:
        raise Obsolete("its link is no longer valid")


async def _end_older_tokens(session: Session, link: Link) -> None:
    """Raises `Obsolete` if there is a newer one."""
    if await session.fetch_one(newer_token(link.user_id, link.kind, link.mail_id)) is not None:
        raise Obsolete("a newer link has been created")
    await session.fetch(end_tokens_of(link.user_id, (link.kind,), clock.now()))
