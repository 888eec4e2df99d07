from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import (
    Comment,
    Exchange,
    Post,
    Report,
    ReportReason,
    ReportTarget,
    RowId,
    User,
    columns,
)
from wxc.social.comments.repository.visibility import visible_comment
from wxc.social.users.visibility import is_active, visible_to


class TargetText(NamedTuple):
    """The text of a reported object and its author."""

    username: str
    text: str | None


class OwnReport(NamedTuple):
    """A report as its reporter sees it."""

    id: UUID
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime


class ReportRow(NamedTuple):
    """A report as operators see it."""

    id: UUID
    reporter: str | None
    target_type: str
    target_id: UUID
    reason: str
    detail: str | None
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


@prepared(RowId)
def visible_target(target_id: UUID, viewer_id: UUID, *, kind: ReportTarget) -> AnySelect:
    """No row if the viewer cannot see the target, and could not before a block."""
    return _VISIBLE_TARGETS[kind](target_id, viewer_id)


@prepared(ReportRow)
def open_reports(limit: int) -> AnySelect:
    """Open reports, oldest first."""
    return _reports().where(Report.closed_at.is_(None)).order_by(Report.id).limit(bind(limit))


@prepared(ReportRow)
def newest_reports(limit: int) -> AnySelect:
    """Open and closed reports, newest first."""
    return _reports().order_by(Report.id.desc()).limit(bind(limit))


@prepared(ReportRow)
def report_by_id(report_id: UUID) -> AnySelect:
    return _reports().where(Report.id == report_id)


@prepared(TargetText)
def target_text(target_id: UUID, *, kind: ReportTarget) -> AnySelect:
    """Name and bio of a user, or the body of a post or comment; no row for a tombstone."""
    if kind is ReportTarget.USER:
        profile_text = func.nullif(func.concat_ws("\n", User.display_name, User.bio), "")
        return select(User.username, profile_text.label("text")).where(User.id == target_id)
    table = Post if kind is ReportTarget.POST else Comment
    return (
        select(User.username, table.body.label("text"))
        .join(User, User.id == table.author_id)
        .where(table.id == target_id)
    )


@prepared(OwnReport)
def upsert_report(
    report_id: UUID,
    reporter_id: UUID,
    target_type: ReportTarget,
    target_id: UUID,
    reason: ReportReason,
    detail: str | None,
    moment: datetime,
) -> ReturningInsert[UUID, str, UUID, str, str | None, datetime]:
    """Insert a report, or replace reason and detail of the reporter's open one of the target."""
    report = insert(Report).values(
        id=report_id,
        reporter_id=reporter_id,
        target_type=target_type,
        target_id=target_id,
        reason=reason,
        detail=detail,
        created_at=moment,
    )
    return report.on_conflict_do_update(
        index_elements=(Report.reporter_id, Report.target_type, Report.target_id),
        index_where=Report.closed_at.is_(None),
        set_={name: report.excluded[name] for name in ("reason", "detail")},
    ).returning(*columns(Report, OwnReport))


@prepared(RowId)
def close_report(
    report_id: UUID, closed_by: str, note: str, moment: datetime
) -> ReturningUpdate[UUID]:
    """Close a report; no row if it does not exist or is already closed."""
    return (
        update(Report)
        .where(Report.id == report_id, Report.closed_at.is_(None))
        .values(closed_at=moment, closed_by=closed_by, note=note)
        .returning(Report.id)
    )


def _visible_user(user_id: UUID, viewer_id: UUID) -> AnySelect:
    """A user is there before any block."""
    del viewer_id
    return select(User.id).where(User.id == user_id, is_active())


def _visible_post(post_id: UUID, viewer_id: UUID) -> AnySelect:
    return (
        select(Post.id)
        .join(User, User.id == Post.author_id)
        .where(Post.id == post_id, visible_to(viewer_id, at=Post.created_at))
    )


def _visible_comment(comment_id: UUID, viewer_id: UUID) -> AnySelect:
    """Excludes tombstones: they have no text to report."""
    written = aliased(Comment)  # a subquery of its own, since predicates nest
    written_at = select(written.created_at).where(written.id == comment_id).scalar_subquery()
    query = visible_comment(select(Comment.id), comment_id, viewer_id, at=written_at)
    return query.where(Comment.deleted_at.is_(None))


def _visible_exchange(exchange_id: UUID, viewer_id: UUID) -> AnySelect:
    return (
        select(Exchange.id)
        .join(User, User.id == Exchange.owner_id)
        .where(Exchange.id == exchange_id, visible_to(viewer_id, at=Exchange.created_at))
    )


_VISIBLE_TARGETS: Mapping[ReportTarget, Callable[[UUID, UUID], AnySelect]] = {
    ReportTarget.USER: _visible_user,
    ReportTarget.POST: _visible_post,
    ReportTarget.COMMENT: _visible_comment,
    ReportTarget.EXCHANGE: _visible_exchange,
}


def _reports() -> AnySelect:
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
