from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from wxc.models.base import Base, CreatedAt, IdKey


class Comment(Base):
    """A comment on a post or a reply to a comment; siblings are ordered by id.

    A comment that is deleted while it has replies stays as a tombstone, without author and body.
    A write that changes the structure of a thread locks its post first.
    """

    __tablename__ = "comments"

    id: Mapped[IdKey]
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    depth: Mapped[int] = mapped_column(SmallInteger)
    # No cascade: it would delete the replies of other users.
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str | None] = mapped_column(Text)
    likes_count: Mapped[int] = mapped_column(default=0, server_default="0")
    replies_count: Mapped[int] = mapped_column(default=0, server_default="0")
    """Direct replies that are not tombstones."""
    children_count: Mapped[int] = mapped_column(default=0, server_default="0")
    """All direct replies, including tombstones."""
    created_at: Mapped[CreatedAt]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        # For top-level comments, replies, an author's comments, and the deletion of a post.
        Index("ix_comments_post_id_id", post_id, "id", postgresql_where=parent_id.is_(None)),
        Index("ix_comments_parent_id_id", parent_id, "id"),
        Index("ix_comments_author_id_id", author_id, "id"),
        Index("ix_comments_post_id", post_id),
        CheckConstraint("depth BETWEEN 0 AND 50", name="depth_bounded"),
        CheckConstraint("(depth = 0) = (parent_id IS NULL)", name="top_has_no_parent"),
        CheckConstraint("char_length(body) BETWEEN 1 AND 2000", name="body_length"),
        CheckConstraint(
            "(body IS NULL) = (deleted_at IS NOT NULL)"
            " AND (author_id IS NULL) = (deleted_at IS NOT NULL)",
            name="tombstone_is_empty",
        ),
        CheckConstraint(
            "likes_count >= 0 AND replies_count >= 0 AND children_count >= replies_count",
            name="counts_not_negative",
        ),
    )
