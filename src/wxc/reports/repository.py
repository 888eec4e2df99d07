"""SQL for reports."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.models import Post, Report, User


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


class ReportRepository:
    """Closes reports."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

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
