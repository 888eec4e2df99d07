from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, and_, exists, func, select

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.exchange.domain.freshness import EXPIRY_FACTOR
from wxc.models import Exchange, Follow, User
from wxc.social.users.visibility import has_blocked, has_muted, viewable_or_blocked_by

Entity = Any
"""A table, alias or subquery; they have columns of the same names but different types."""


class SummaryFields(Protocol):
    """A row with a user's summary; its id column may have any name."""

    @property
    def username(self) -> str: ...

    @property
    def display_name(self) -> str | None: ...

    @property
    def avatar_url(self) -> str | None: ...


class SummaryRow(SummaryFields, Protocol):
    @property
    def id(self) -> UUID: ...


class ProfileRow(NamedTuple):
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    bio: str | None
    created_at: datetime
    followers_count: int
    following_count: int
    posts_count: int
    has_exchange: bool
    version: int
    following: bool
    followed_by: bool
    muting: bool
    blocking: bool


def summary_columns(user: Entity = User, id_name: str = "id") -> tuple[ColumnElement[Any], ...]:
    """The columns of `SummaryFields` and the id, from `User` or an alias of it."""
    return user.id.label(id_name), user.username, user.display_name, user.avatar_url


def has_username(username: str) -> ColumnElement[bool]:
    return User.username_folded == username


@prepared(ProfileRow)
def profile_by_username(username: str, viewer_id: UUID | None, moment: datetime) -> AnySelect:
    """Also finds users whom the viewer has blocked."""
    return select(
        *summary_columns(),
        User.bio,
        User.created_at,
        User.followers_count,
        User.following_count,
        User.posts_count,
        and_(User.has_exchange, _has_valid_exchange(moment)).label("has_exchange"),
        User.version,
        _is_following(viewer_id, User.id).label("following"),
        _is_following(User.id, viewer_id).label("followed_by"),
        has_muted(viewer_id, User.id).label("muting"),
        has_blocked(viewer_id, User.id).label("blocking"),
    ).where(has_username(username), viewable_or_blocked_by(viewer_id))


def _has_valid_exchange(moment: datetime) -> ColumnElement[bool]:
    """Whether others can see the user's board: it has not expired."""
    hours = EXPIRY_FACTOR * Exchange.valid_for_hours
    expiry = Exchange.confirmed_at + func.make_interval(0, 0, 0, 0, hours, type_=Interval())
    return exists().where(Exchange.owner_id == User.id, expiry > moment)


def _is_following(follower_id: Any, followed_id: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return exists().where(Follow.follower_id == follower_id, Follow.followed_id == followed_id)
