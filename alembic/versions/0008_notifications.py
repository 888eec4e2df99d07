"""Notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What members are told of."""
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("post_id", sa.Uuid(), nullable=True),
        sa.Column("comment_id", sa.Uuid(), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("actor_id <> recipient_id", name=op.f("ck_notifications_not_ones_own")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_notifications_actor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_notifications_comment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_notifications_post_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["users.id"],
            name=op.f("fk_notifications_recipient_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "actor_id",
            "recipient_id",
            "type",
            "subject_id",
            name=op.f("uq_notifications_actor_id_recipient_id_type_subject_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_notifications_comment_id",
        "notifications",
        ["comment_id"],
        unique=False,
        postgresql_where=sa.text("comment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_post_id",
        "notifications",
        ["post_id"],
        unique=False,
        postgresql_where=sa.text("post_id IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_recipient_id_group_id_id",
        "notifications",
        ["recipient_id", "group_id", "id"],
        unique=False,
        postgresql_where=sa.text("hidden_at IS NULL"),
    )
    op.create_index(
        "ix_notifications_recipient_id_id",
        "notifications",
        ["recipient_id", "id"],
        unique=False,
        postgresql_include=["group_id"],
        postgresql_where=sa.text("hidden_at IS NULL"),
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["recipient_id", "group_id"],
        unique=False,
        postgresql_where=sa.text("hidden_at IS NULL AND read_at IS NULL"),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_index(
        "ix_notifications_unread",
        table_name="notifications",
        postgresql_where=sa.text("hidden_at IS NULL AND read_at IS NULL"),
    )
    op.drop_index(
        "ix_notifications_recipient_id_id",
        table_name="notifications",
        postgresql_include=["group_id"],
        postgresql_where=sa.text("hidden_at IS NULL"),
    )
    op.drop_index(
        "ix_notifications_recipient_id_group_id_id",
        table_name="notifications",
        postgresql_where=sa.text("hidden_at IS NULL"),
    )
    op.drop_index(
        "ix_notifications_post_id",
        table_name="notifications",
        postgresql_where=sa.text("post_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_notifications_comment_id",
        table_name="notifications",
        postgresql_where=sa.text("comment_id IS NOT NULL"),
    )
    op.drop_table("notifications")
