"""SQL for reports."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.comments.repository.sight import in_sight
from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.models import Comment, Exchange, Post, Report, ReportTarget, User
from wxc.users.visibility import known_to, visible_to

_MADE = ("id", "target_type", "target_id", "reason", "detail", "created_at")


def _visible_user(user_id: UUID, viewer_id: UUID) -> AnySelect:
    """Whom the viewer has blocked is there to be reported."""
    return select(User.id).where(User.id == user_id, known_to(viewer_id))


def _visible_post(post_id: UUID, viewer_id: UUID) -> AnySelect:
    return (
        select(Post.id)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, visible_to(viewer_id))
    )


def _visible_comment(comment_id: UUID, viewer_id: UUID) -> AnySelect:
    """A tombstone says nothing that could be reported."""
    seen = in_sight(select(Comment.id), comment_id, viewer_id)
    return seen.where(Comment.deleted_at.is_(None))


def _visible_exchange(exchange_id: UUID, viewer_id: UUID) -> AnySelect:
    return (
        select(Exchange.id)
        .join(User, User.id == Exchange.owner_id)
        .where(Exchange.id == exchange_id, visible_to(viewer_id))
    )


VISIBLE: Mapping[str, Callable[[UUID, UUID], AnySelect]] = {
    ReportTarget.USER: _visible_user,
    ReportTarget.POST: _visible_post,
    ReportTarget.COMMENT: _visible_comment,
    ReportTarget.EXCHANGE: _visible_exchange,
}
"""How a target is found that a viewer sees."""


class ReportReader:
    """Reports, for operators."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def open(self, most: int) -> Sequence[AnyRow]:
        """The queue: open reports, oldest first."""
        statement = _reports().where(Report.closed_at.is_(None)).order_by(Report.id).limit(most)
        return (await self.reader.execute(statement)).all()

    async def newest(self, most: int) -> Sequence[AnyRow]:
        """Reports, open or closed, newest first."""
        statement = _reports().order_by(Report.id.desc()).limit(most)
        return (await self.reader.execute(statement)).all()

    async def by_id(self, report_id: UUID) -> AnyRow | None:
        """One report."""
        statement = _reports().where(Report.id == report_id)
        return (await self.reader.execute(statement)).one_or_none()

    async def text_of_user(self, user_id: UUID) -> AnyRow | None:
        """`(username, text)` of a profile: the name that it shows, and the text below."""
        shown = func.concat_ws("\n", User.display_name, User.bio)
        statement = select(User.username, func.nullif(shown, "").label("text")).where(
            User.id == user_id
        )
        return (await self.reader.execute(statement)).one_or_none()

    async def text_of_post(self, post_id: UUID) -> AnyRow | None:
        """`(username, text)` of a post."""
        statement = (
            select(User.username, Post.body.label("text"))
            .join(User, User.id == Post.author_id)
            .where(Post.id == post_id)
        )
        return (await self.reader.execute(statement)).one_or_none()

    async def text_of_comment(self, comment_id: UUID) -> AnyRow | None:
        """`(username, text)` of a comment; None also for a tombstone."""
        statement = (
            select(User.username, Comment.body.label("text"))
            .join(User, User.id == Comment.author_id)
            .where(Comment.id == comment_id)
        )
        return (await self.reader.execute(statement)).one_or_none()


class ReportRepository:
    """Takes reports in and closes them."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def is_visible(self, kind: str, target_id: UUID, viewer_id: UUID) -> bool:
        """Whether the viewer sees such a thing."""
        statement = VISIBLE[kind](target_id, viewer_id)
        return (await self.session.execute(statement)).first() is not None

    async def put(self, reporter_id: UUID, values: dict[str, Any]) -> AnyRow:
        """The member's report of that target: a new one, or the open one in these words."""
        report = insert(Report).values(reporter_id=reporter_id, **values)
        statement = report.on_conflict_do_update(
            index_elements=(Report.reporter_id, Report.target_type, Report.target_id),
            index_where=Report.closed_at.is_(None),
            set_={name: report.excluded[name] for name in ("reason", "detail")},
        ).returning(*(getattr(Report, name) for name in _MADE))
        return (await self.session.execute(statement)).one()

    async def close(self, report_id: UUID, *, by: str, note: str, moment: datetime) -> bool:
        """Close the report; False when it was closed already, or is not there."""
        statement = (
            update(Report)
            .where(Report.id == report_id, Report.closed_at.is_(None))
            .values(closed_at=moment, closed_by=by, note=note)
            .returning(Report.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None


def _reports() -> AnySelect:
    """The columns of `ReportSummary`."""
    return select(
        Report.id,
        User.username.label("reporter"),
        Report.target_type,
        Report.target_id,
        Report.reason,
        Report.detail,
        Report.created_at,
        Report.closed_at,
        Report.closed_by,
        Report.note,
    ).outerjoin(User, User.id == Report.reporter_id)
