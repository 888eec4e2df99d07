"""Comments."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create comments and their likes, and the answers of requests that may be repeated."""
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("likes_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("replies_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("children_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(body IS NULL) = (deleted_at IS NOT NULL)"
            " AND (author_id IS NULL) = (deleted_at IS NOT NULL)",
            name=op.f("ck_comments_tombstone_is_empty"),
        ),
        sa.CheckConstraint(
            "(depth = 0) = (parent_id IS NULL)", name=op.f("ck_comments_top_has_no_parent")
        ),
        sa.CheckConstraint(
            "char_length(body) BETWEEN 1 AND 2000", name=op.f("ck_comments_body_length")
        ),
        sa.CheckConstraint("depth BETWEEN 0 AND 50", name=op.f("ck_comments_depth_bounded")),
        sa.CheckConstraint(
            "likes_count >= 0 AND replies_count >= 0 AND children_count >= replies_count",
            name=op.f("ck_comments_counts_not_negative"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_comments_author_id")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["comments.id"], name=op.f("fk_comments_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_comments_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index("ix_comments_author_id_id", "comments", ["author_id", "id"], unique=False)
    op.create_index("ix_comments_parent_id_id", "comments", ["parent_id", "id"], unique=False)
    op.create_index("ix_comments_post_id", "comments", ["post_id"], unique=False)
    op.create_index(
        "ix_comments_post_id_id",
        "comments",
        ["post_id", "id"],
        unique=False,
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("location", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(fingerprint) = 32", name=op.f("ck_idempotency_keys_fingerprint_length")
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_idempotency_keys_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False
    )
    op.create_index("ix_idempotency_keys_post_id", "idempotency_keys", ["post_id"], unique=False)
    op.create_index(
        "ix_idempotency_keys_subject_id", "idempotency_keys", ["subject_id"], unique=False
    )
    op.create_table(
        "comment_likes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_comment_likes_comment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_comment_likes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_likes")),
        sa.UniqueConstraint(
            "user_id", "comment_id", name=op.f("uq_comment_likes_user_id_comment_id")
        ),
    )
    op.create_index("ix_comment_likes_comment_id", "comment_likes", ["comment_id"], unique=False)
    op.add_column("posts", sa.Column("version", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Drop them; what was commented is lost."""
    op.drop_column("posts", "version")
    op.drop_index("ix_comment_likes_comment_id", table_name="comment_likes")
    op.drop_table("comment_likes")
    op.drop_index("ix_idempotency_keys_subject_id", table_name="idempotency_keys")
    op.drop_index("ix_idempotency_keys_post_id", table_name="idempotency_keys")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(
        "ix_comments_post_id_id",
        table_name="comments",
        postgresql_where=sa.text("parent_id IS NULL"),
    )
    op.drop_index("ix_comments_post_id", table_name="comments")
    op.drop_index("ix_comments_parent_id_id", table_name="comments")
    op.drop_index("ix_comments_author_id_id", table_name="comments")
    op.drop_table("comments")
