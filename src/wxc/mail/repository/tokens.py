"""Callers that write hold a lock on the account's row, so writes are serialised."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, delete, insert, select, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import MailKind, MailToken


class LinkRow(NamedTuple):
    mail_id: UUID
    user_id: UUID
    kind: str
    address: str
    is_live: bool


class TokenRow(NamedTuple):
    address: str
    ended_at: datetime | None
    expires_at: datetime


class MailId(NamedTuple):
    mail_id: UUID


@prepared(LinkRow)
def unexpired_link(digest: bytes, kinds: Sequence[MailKind], moment: datetime) -> AnySelect:
    """The link of a token of one of these kinds; it may have been used or invalidated."""
    return select(
        MailToken.mail_id,
        MailToken.user_id,
        MailToken.kind,
        MailToken.address,
        MailToken.ended_at.is_(None).label("is_live"),
    ).where(
        MailToken.digest == digest,
        MailToken.kind == any_(bind(kinds)),
        MailToken.expires_at > moment,
    )


@prepared(TokenRow)
def token_of_mail(mail_id: UUID) -> AnySelect:
    return select(MailToken.address, MailToken.ended_at, MailToken.expires_at).where(
        MailToken.mail_id == mail_id
    )


@prepared(MailId)
def newer_token(user_id: UUID, kind: str, mail_id: UUID) -> AnySelect:
    """A token of the same kind in a later e-mail."""
    return (
        select(MailToken.mail_id)
        .where(MailToken.user_id == user_id, MailToken.kind == kind, MailToken.mail_id > mail_id)
        .limit(1)
    )


@prepared(MailId)
def insert_token(
    mail_id: UUID, user_id: UUID, kind: str, address: str, digest: bytes, expires_at: datetime
) -> ReturningInsert[UUID]:
    return (
        insert(MailToken)
        .values(
            mail_id=mail_id,
            user_id=user_id,
            kind=kind,
            address=address,
            digest=digest,
            expires_at=expires_at,
        )
        .returning(MailToken.mail_id)
    )


@prepared(MailId)
def end_token(mail_id: UUID, moment: datetime) -> ReturningUpdate[UUID]:
    """Only one of two concurrent uses returns a row."""
    return (
        update(MailToken)
        .where(MailToken.mail_id == mail_id, MailToken.ended_at.is_(None))
        .values(ended_at=moment)
        .returning(MailToken.mail_id)
    )


@prepared(MailId)
def end_tokens_of(
    user_id: UUID, kinds: Sequence[MailKind], moment: datetime
) -> ReturningUpdate[UUID]:
    """End the unused tokens of these kinds."""
    return (
        update(MailToken)
        .where(
            MailToken.user_id == user_id,
            MailToken.kind == any_(bind(kinds)),
            MailToken.ended_at.is_(None),
        )
        .values(ended_at=moment)
        .returning(MailToken.mail_id)
    )


@prepared(MailId)
def end_newer_tokens(
    user_id: UUID, kind: str, mail_id: UUID, moment: datetime
) -> ReturningUpdate[UUID]:
    """End the unused tokens of this kind in later e-mails than this one."""
    return (
        update(MailToken)
        .where(
            MailToken.user_id == user_id,
            MailToken.kind == kind,
            MailToken.mail_id > mail_id,
            MailToken.ended_at.is_(None),
        )
        .values(ended_at=moment)
        .returning(MailToken.mail_id)
    )


@prepared(MailId)
def delete_expired_tokens(before: datetime) -> ReturningDelete[UUID]:
    return delete(MailToken).where(MailToken.expires_at < before).returning(MailToken.mail_id)
