"""SQL for mails and the tokens of their links."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Update, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow, Reader
from wxc.core.text import fold_identifier
from wxc.mails.links import Link
from wxc.models import MailKind, MailState, MailToken, OutboxMail, User

_MAIL = (
    OutboxMail.id,
    OutboxMail.kind,
    OutboxMail.user_id,
    OutboxMail.address,
    OutboxMail.attempts,
    OutboxMail.first_attempt_at,
    OutboxMail.created_at,
)


class OutboxReader:
    """What the outbox says of itself."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def has_backlog(self, *, due_before: datetime, dead_since: datetime) -> bool:
        """Whether a mail is overdue, or has been given up lately."""
        overdue = (OutboxMail.state == MailState.WAITING) & (OutboxMail.due_at < due_before)
        dead = (OutboxMail.state == MailState.DEAD) & (OutboxMail.finished_at > dead_since)
        statement = select(or_(exists().where(overdue), exists().where(dead)).label("has_backlog"))
        return bool((await self.reader.execute(statement)).scalar_one())

    async def tally(self, *, moment: datetime, dead_since: datetime) -> AnyRow:
        """`(due, oldest, dead)`: the mails that are due, since when, and those given up."""
        is_due = (OutboxMail.state == MailState.WAITING) & (OutboxMail.due_at <= moment)
        is_dead = (OutboxMail.state == MailState.DEAD) & (OutboxMail.finished_at > dead_since)
        statement = select(
            select(func.count()).where(is_due).scalar_subquery().label("due"),
            select(func.min(OutboxMail.due_at)).where(is_due).scalar_subquery().label("oldest"),
            select(func.count()).where(is_dead).scalar_subquery().label("dead"),
        )
        return (await self.reader.execute(statement)).one()


class OutboxRepository:
    """Writes mails and how they fare."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(
        self,
        mail_id: UUID,
        kind: MailKind,
        *,
        address: str,
        user_id: UUID | None,
        dedup_key: str,
        moment: datetime,
    ) -> None:
        """A mail to be sent; none where the key has been used."""
        await self.session.execute(
            upsert(OutboxMail)
            .values(
                id=mail_id,
                kind=kind,
                address=address,
                user_id=user_id,
                dedup_key=dedup_key,
                due_at=moment,
                created_at=moment,
            )
            .on_conflict_do_nothing()
        )

    async def claim(self, most: int, *, moment: datetime, lease: timedelta) -> Sequence[AnyRow]:
        """Up to `most` due mails, nobody else's until the lease ends; each attempt is counted."""
        due = (
            select(OutboxMail.id)
            .where(OutboxMail.state == MailState.WAITING, OutboxMail.due_at <= moment)
            .order_by(OutboxMail.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("due")  # a plain subquery may be run, and lock rows, more than once
        )
        statement = (
            update(OutboxMail)
            .where(OutboxMail.id == due.c.id)
            .values(
                due_at=moment + lease,
                attempts=OutboxMail.attempts + 1,
                first_attempt_at=func.coalesce(OutboxMail.first_attempt_at, moment),
            )
            .returning(*_MAIL)
        )
        return (await self.session.execute(statement)).all()

    async def postpone(self, mail: AnyRow, due_at: datetime) -> None:
        """Let the mail wait, unless another worker has taken it over meanwhile."""
        await self.session.execute(_held(mail).values(due_at=due_at))

    async def finish(self, mail: AnyRow, state: MailState, moment: datetime) -> None:
        """Close the mail, unless another worker has taken it over meanwhile."""
        await self.session.execute(_held(mail).values(state=state, finished_at=moment))

    async def remove(self, mail_id: UUID) -> None:
        """Forget the mail."""
        await self.session.execute(delete(OutboxMail).where(OutboxMail.id == mail_id))

    async def purge(self, before: datetime) -> None:
        """Forget what was closed, and the tokens that ran out, before that moment."""
        await self.session.execute(delete(OutboxMail).where(OutboxMail.finished_at < before))
        await self.session.execute(delete(MailToken).where(MailToken.expires_at < before))

    async def recipient(self, mail: AnyRow) -> AnyRow | None:
        """The account that the mail is for, locked against changes; None when there is none."""
        whose = (
            User.id == mail.user_id
            if mail.user_id is not None
            else User.email_folded == fold_identifier(mail.address)
        )
        statement = (
            select(
                User.id,
                User.username,
                User.email,
                User.pending_email,
                User.email_verified_at,
                User.suspended_at,
            )
            .where(whose)
            .with_for_update(key_share=True)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def has_another(self, address: str, user_id: UUID) -> bool:
        """Whether the address is in use by somebody else."""
        other = exists().where(User.email_folded == fold_identifier(address), User.id != user_id)
        return bool((await self.session.execute(select(other))).scalar_one())


class TokenReader:
    """Which links are good for something."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def live(
        self, digest: bytes, kinds: Sequence[MailKind], moment: datetime
    ) -> AnyRow | None:
        """`(mail_id, user_id, kind, address)` of a token that is still good."""
        statement = select(
            MailToken.mail_id, MailToken.user_id, MailToken.kind, MailToken.address
        ).where(
            MailToken.digest == digest,
            MailToken.kind.in_(kinds),
            MailToken.ended_at.is_(None),
            MailToken.expires_at > moment,
        )
        return (await self.reader.execute(statement)).one_or_none()


class TokenRepository:
    """Writes tokens. Who calls has locked the account, so that nothing crosses."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def of_mail(self, mail_id: UUID) -> AnyRow | None:
        """`(address, ended_at, expires_at)` of the mail's token, if it was made already."""
        statement = select(MailToken.address, MailToken.ended_at, MailToken.expires_at).where(
            MailToken.mail_id == mail_id
        )
        return (await self.session.execute(statement)).one_or_none()

    async def has_newer(self, user_id: UUID, kind: MailKind, mail_id: UUID) -> bool:
        """Whether a later mail of the kind has taken the place of this one."""
        newer = exists().where(
            MailToken.user_id == user_id, MailToken.kind == kind, MailToken.mail_id > mail_id
        )
        return bool((await self.session.execute(select(newer))).scalar_one())

    async def add(self, link: Link, *, digest: bytes, expires_at: datetime) -> None:
        """The token of a link."""
        await self.session.execute(
            insert(MailToken).values(
                mail_id=link.mail_id,
                user_id=link.user_id,
                kind=link.kind,
                address=link.address,
                digest=digest,
                expires_at=expires_at,
            )
        )

    async def end(self, mail_id: UUID, moment: datetime) -> bool:
        """Use the token up; of two uses at once only one gets True."""
        statement = (
            update(MailToken)
            .where(MailToken.mail_id == mail_id, MailToken.ended_at.is_(None))
            .values(ended_at=moment)
            .returning(MailToken.mail_id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def end_all(self, user_id: UUID, kinds: Sequence[MailKind], moment: datetime) -> None:
        """Make every open token of these kinds void."""
        await self.session.execute(
            update(MailToken)
            .where(
                MailToken.user_id == user_id,
                MailToken.kind.in_(kinds),
                MailToken.ended_at.is_(None),
            )
            .values(ended_at=moment)
        )


def _held(mail: AnyRow) -> Update:
    return update(OutboxMail).where(OutboxMail.id == mail.id, OutboxMail.attempts == mail.attempts)
