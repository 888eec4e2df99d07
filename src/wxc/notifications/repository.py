"""SQL for notifications."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    DateTime,
    Integer,
    ScalarSelect,
    String,
    TableValuedAlias,
    Update,
    Uuid,
    all_,
    and_,
    any_,
    case,
    cast,
    column,
    delete,
    exists,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import LateralFromClause
from sqlalchemy.types import TypeEngine

from wxc.core.database import AnyEntity, AnyRow, AnySelect, Reader, draw_id, rows_of
from wxc.core.statements import built_once
from wxc.db.keyset import PageRequest
from wxc.models import Notification, NotificationType, Post, User
from wxc.notifications.schemas import MOST_ACTORS, MOST_UNREAD
from wxc.users.repository import summary
from wxc.users.visibility import has_muted, visible_to

MOST_COUNTED = 10_000
# Given values with it, a session would take a statement on the entity for one that writes entities.
_ROWS = Notification.metadata.tables[Notification.__tablename__]


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing that somebody did, as one recipient is told of it."""

    recipient: UUID | str
    """An id, or a username in lower case that may be nobody's."""
    type: NotificationType
    actor_id: UUID | None
    subject_id: UUID
    group_id: UUID | None = None
    """None where it stands for itself."""
    post_id: UUID | None = None
    comment_id: UUID | None = None


_OCCASION: Mapping[str, TypeEngine[Any]] = {
    "told_id": Uuid(),
    "username": String(),
    "id": Uuid(),
    "type": String(),
    "actor_id": Uuid(),
    "subject_id": Uuid(),
    "group_id": Uuid(),
    "post_id": Uuid(),
    "comment_id": Uuid(),
}


class NotificationReader:
    """A member's notifications, in groups."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def heads(self, me_id: UUID, page: PageRequest, *, only_unread: bool) -> Sequence[UUID]:
        """The newest notification of up to `limit + 1` groups."""
        statement = _heads(me_id, page, only_unread=only_unread)
        return (await self.reader.execute(*statement)).scalars().all()

    async def groups(self, me_id: UUID, heads: Sequence[UUID]) -> Sequence[AnyRow]:
        """The groups of these heads, a row for each of up to three actors, the newest first.

        Every row holds the `unread_count`; without heads there is one, otherwise empty.
        """
        return rows_of(await self.reader.execute(*_groups(me_id, list(heads))))

    async def unread_count(self, me_id: UUID) -> int:
        """How many groups are unread, up to the greatest number that is shown."""
        return int((await self.reader.execute(*_count(me_id))).scalar_one() or 0)

    async def since(self, me_id: UUID, floor: UUID, most: int) -> Sequence[AnyRow]:
        """`(id, head)` of up to `most` notifications after `floor`, the oldest first."""
        return rows_of(await self.reader.execute(*_since(me_id, floor, most)))


class NotificationRepository:
    """Writes notifications."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, occasions: Sequence[Occasion], moment: datetime) -> Sequence[UUID]:
        """Record them, one for each recipient, the first that names them; who they are.

        Nobody is told of their own acts, or of those of somebody whom they cannot see. What was
        undone before is shown again where it was.
        """
        spelled = (_spelled(one, draw_id(self.session)) for one in occasions)
        columns = [list(column) for column in zip(*spelled, strict=True)]
        statement = _recorded(occasions[0].actor_id, moment, *columns)
        told: Sequence[UUID] = (await self.session.execute(*statement)).scalars().all()
        return told

    async def hide(
        self, type_: NotificationType, *, actor_id: UUID, recipient_id: UUID, subject_id: UUID
    ) -> None:
        """What was done has been undone."""
        await self.session.execute(*_hidden(type_, actor_id, recipient_id, subject_id))

    async def remove_between(self, one_id: UUID, other_id: UUID) -> None:
        """Remove all that either of the two was told of the other."""
        await self.session.execute(
            delete(Notification).where(
                or_(
                    and_(Notification.actor_id == one_id, Notification.recipient_id == other_id),
                    and_(Notification.actor_id == other_id, Notification.recipient_id == one_id),
                )
            )
        )

    async def remove_of_comment(self, comment_id: UUID) -> None:
        """Remove all that is about a comment whose row stays."""
        await self.session.execute(
            delete(Notification).where(Notification.comment_id == comment_id)
        )

    async def mark_read(self, me_id: UUID, up_to: UUID) -> None:
        """Mark what is shown now, up to and with that one."""
        await self.session.execute(
            update(Notification)
            .where(
                Notification.recipient_id == me_id,
                Notification.id <= up_to,
                Notification.read_at.is_(None),
                _is_shown(me_id),
            )
            .values(read_at=func.now())
        )


@built_once
def _heads(me_id: UUID, page: PageRequest, *, only_unread: bool) -> AnySelect:
    walk = _newer_heads if page.ascends else _older_heads
    return walk(me_id, page, only_unread)


@built_once
def _groups(me_id: UUID, heads: list[UUID]) -> AnySelect:
    head = aliased(Notification)
    totals, actors = _totals(me_id, head), _actors(me_id, head)
    unread = _unread_count(me_id)
    nothing = select(unread.label("unread_count")).subquery("counted")
    statement: AnySelect = (
        select(
            nothing.c.unread_count,
            head.id,
            head.type,
            head.post_id,
            head.comment_id,
            head.created_at,
            totals.c.count,
            totals.c.unread,
            actors.c.user_id,
            actors.c.username,
            actors.c.display_name,
            actors.c.avatar_url,
        )
        .select_from(nothing)
        .outerjoin(head, head.id == any_(type_coerce(heads, ARRAY(Uuid()))))
        .outerjoin(totals, true())
        .outerjoin(actors, true())
        .order_by(head.id.desc(), actors.c.id.desc())
    )
    return statement


@built_once
def _count(me_id: UUID) -> AnySelect:
    return select(_unread_count(me_id))


@built_once
def _since(me_id: UUID, floor: UUID, most: int) -> AnySelect:
    newer = aliased(Notification)
    head = (
        select(newer.id)
        .where(
            newer.recipient_id == me_id,
            newer.group_id == Notification.group_id,
            _is_shown(me_id, newer),
        )
        .order_by(newer.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement: AnySelect = (
        select(Notification.id, head.label("head"))
        .where(Notification.recipient_id == me_id, Notification.id > floor, _is_shown(me_id))
        .order_by(Notification.id)
        .limit(most)
    )
    return statement


@built_once
def _recorded(
    doer_id: UUID | None,
    moment: datetime,
    recipients: list[UUID | None],
    usernames: list[str | None],
    ids: list[UUID],
    types: list[str],
    actors: list[UUID | None],
    subjects: list[UUID],
    groups: list[UUID],
    posts: list[UUID | None],
    comments: list[UUID | None],
) -> ReturningInsert[UUID]:
    """Usernames looked up as who does it may; of several for one recipient the first."""
    said = _said(recipients, usernames, ids, types, actors, subjects, groups, posts, comments)
    named = aliased(User)
    recipient = func.coalesce(said.c.told_id, named.id).label("recipient_id")
    kept = [said.c[name] for name in _OCCASION if name not in ("told_id", "username")]
    told = (
        select(recipient, *kept, type_coerce(moment, DateTime(timezone=True)))
        .select_from(said)
        .outerjoin(
            named, and_(named.username_folded == said.c.username, visible_to(doer_id, named))
        )
        .where(recipient.isnot(None), recipient.is_distinct_from(said.c.actor_id))
        .ext(distinct_on(recipient))
        .order_by(recipient, said.c.place)
    )
    return recorded(["recipient_id", *(one.name for one in kept), "created_at"], told)


def _said(*given: list[Any]) -> TableValuedAlias:
    """The occasions as rows, `place` saying in which order."""
    arrays = (
        type_coerce(one, ARRAY(type_)) for one, type_ in zip(given, _OCCASION.values(), strict=True)
    )
    columns = (column(*one) for one in _OCCASION.items())
    rows = func.unnest(*arrays).table_valued(*columns, with_ordinality="place")
    return rows.render_derived("occasions")


def _spelled(one: Occasion, identifier: UUID) -> tuple[Any, ...]:
    """An occasion in the order of `_OCCASION`."""
    is_known = isinstance(one.recipient, UUID)
    return (
        one.recipient if is_known else None,
        None if is_known else one.recipient,
        identifier,
        one.type,
        one.actor_id,
        one.subject_id,
        one.group_id or identifier,
        one.post_id,
        one.comment_id,
    )


def recorded(columns: Sequence[str], said: AnySelect) -> ReturningInsert[UUID]:
    """The INSERT of what is said in these columns; it returns whom it tells.

    What was undone before is shown again where it was.
    """
    return (
        insert(_ROWS)
        .from_select(list(columns), said)
        .on_conflict_do_update(
            index_elements=["actor_id", "recipient_id", "type", "subject_id"],
            set_={"hidden_at": None},
        )
        .returning(Notification.recipient_id)
    )


def hidden(
    kind: NotificationType,
    doer_id: UUID,
    listener_id: UUID | ColumnElement[UUID],
    subject: UUID | ColumnElement[UUID],
) -> Update:
    """The UPDATE after what was done has been undone: the row stays, in case it is done again."""
    return (
        update(_ROWS)
        .where(
            Notification.actor_id == doer_id,
            Notification.recipient_id == listener_id,
            Notification.type == kind,
            Notification.subject_id == subject,
        )
        .values(hidden_at=func.now())
    )


_hidden = built_once(hidden)


def _is_shown(me_id: UUID, notification: AnyEntity = Notification) -> ColumnElement[bool]:
    """Not undone, by somebody whom the recipient hears, about a post that they can see."""
    actor, author, post = aliased(User), aliased(User), aliased(Post)
    # Scalars, one look-up each: of an EXISTS the planner would read all members beforehand.
    is_heard = (
        select(and_(visible_to(me_id, actor), not_(has_muted(me_id, actor.id))))
        .where(actor.id == notification.actor_id)
        .scalar_subquery()
    )
    is_there = (
        select(visible_to(me_id, author))
        .select_from(post)
        .join(author, author.id == post.author_id)
        .where(post.id == notification.post_id)
        .scalar_subquery()
    )
    return and_(
        notification.hidden_at.is_(None),
        or_(notification.actor_id.is_(None), is_heard),
        or_(notification.post_id.is_(None), is_there),
    )


def _older_heads(me_id: UUID, page: PageRequest, only_unread: bool) -> AnySelect:
    """Walk from group to group: a group of many is one step, and its members only an index scan."""
    start: AnySelect = select(
        _beginning(page).label("id"),
        cast([], ARRAY(Uuid())).label("seen"),
        literal(0, Integer()).label("found"),
        false().label("is_head"),
    )
    walk = start.cte("walk", recursive=True)
    step = _next_group(me_id, walk, only_unread)
    walk = walk.union_all(
        select(
            step.c.id,
            func.array_append(walk.c.seen, step.c.group_id),
            walk.c.found + case((step.c.is_head, 1), else_=0),
            step.c.is_head,
        )
        .select_from(walk)
        .join(step, true())
        .where(walk.c.found <= page.limit)
    )
    return select(walk.c.id).where(walk.c.is_head)


def _beginning(page: PageRequest) -> ColumnElement[Any]:
    return cast(null(), Uuid()) if page.position is None else type_coerce(page.position, Uuid())


def _next_group(me_id: UUID, walk: CTE, only_unread: bool) -> LateralFromClause:
    """The next notification whose group has not been met, and whether it is its newest."""
    found = aliased(Notification)
    return (
        select(
            found.id,
            found.group_id,
            and_(*_is_head(me_id, found, only_unread)).label("is_head"),
        )
        .where(
            found.recipient_id == me_id,
            or_(walk.c.id.is_(None), found.id < walk.c.id),
            found.group_id != all_(walk.c.seen),
            _is_shown(me_id, found),
        )
        .order_by(found.id.desc())
        .limit(1)
        .lateral("step")
    )


def _newer_heads(me_id: UUID, page: PageRequest, only_unread: bool) -> AnySelect:
    """What came since: seldom much."""
    statement = select(Notification.id).where(
        Notification.recipient_id == me_id,
        _is_shown(me_id),
        *_is_head(me_id, Notification, only_unread),
    )
    return page.window(statement, Notification.id)


def _is_head(
    me_id: UUID,
    notification: AnyEntity,
    only_unread: bool,
) -> list[ColumnElement[bool]]:
    """No other of the group is newer; and one of the group is unread, if that is asked."""
    newer, unread = aliased(Notification), aliased(Notification)
    is_newest = not_(
        exists().where(
            newer.recipient_id == me_id,
            newer.group_id == notification.group_id,
            newer.id > notification.id,
            _is_shown(me_id, newer),
        )
    )
    is_unread = exists().where(
        unread.recipient_id == me_id,
        unread.group_id == notification.group_id,
        unread.read_at.is_(None),
        _is_shown(me_id, unread),
    )
    return [is_newest, is_unread] if only_unread else [is_newest]


def _members(me_id: UUID, head: AnyEntity, *columns: str) -> AnySelect:
    member = aliased(Notification)
    statement: AnySelect = (
        select(*(getattr(member, name) for name in columns))
        .where(
            member.recipient_id == me_id,
            member.group_id == head.group_id,
            _is_shown(me_id, member),
        )
        .order_by(member.id.desc())
        .correlate(head)
    )
    return statement


def _totals(me_id: UUID, head: AnyEntity) -> LateralFromClause:
    members = _members(me_id, head, "read_at").limit(MOST_COUNTED).subquery("members")
    return select(
        func.count().label("count"), func.bool_or(members.c.read_at.is_(None)).label("unread")
    ).lateral("totals")


def _actors(me_id: UUID, head: AnyEntity) -> LateralFromClause:
    newest = _members(me_id, head, "id", "actor_id").limit(MOST_ACTORS).subquery("newest")
    return (
        select(newest.c.id, *summary(id_name="user_id"))
        .join(User, User.id == newest.c.actor_id)
        .lateral("actors")
    )


def _unread_count(me_id: UUID) -> ScalarSelect[Any]:
    """Walks from group to group: however many wait in one, the first that is shown suffices."""
    first = _unread_group(me_id, None)
    walk = select(first.c.group_id).cte("unread_walk", recursive=True)
    step = _unread_group(me_id, walk.c.group_id)
    walk = walk.union_all(select(step.c.group_id).select_from(walk).join(step, true()))
    groups = select(walk.c.group_id).limit(MOST_UNREAD).subquery("unread_groups")
    return select(func.count()).select_from(groups).scalar_subquery()


def _unread_group(me_id: UUID, after: ColumnElement[UUID] | None) -> LateralFromClause:
    """The next group, by id, with something unread that is shown."""
    unread = aliased(Notification)
    beyond = true() if after is None else unread.group_id > after
    return (
        select(unread.group_id)
        .where(
            unread.recipient_id == me_id,
            unread.read_at.is_(None),
            beyond,
            _is_shown(me_id, unread),
        )
        .order_by(unread.group_id)
        .limit(1)
        .lateral()
    )
