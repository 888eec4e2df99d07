"""Outbox of mails."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the outbox, and the tokens of the links in its mails."""
    op.create_table(
        "mail_tokens",
        sa.Column("mail_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_mail_tokens_digest_length")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mail_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", name=op.f("pk_mail_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_mail_tokens_digest")),
    )
    op.create_index("ix_mail_tokens_expires_at", "mail_tokens", ["expires_at"], unique=False)
    op.create_index("ix_mail_tokens_user_id", "mail_tokens", ["user_id"], unique=False)
    op.create_table(
        "outbox_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("dedup_key", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "address !~ '[[:cntrl:]]'", name=op.f("ck_outbox_mails_address_one_line")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'dropped', 'dead')",
            name=op.f("ck_outbox_mails_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_outbox_mails_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mails")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_outbox_mails_dedup_key")),
    )
    op.create_index(
        "ix_outbox_mails_dead",
        "outbox_mails",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_outbox_mails_due_at",
        "outbox_mails",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_outbox_mails_finished_at", "outbox_mails", ["finished_at"], unique=False)
    op.create_index("ix_outbox_mails_user_id", "outbox_mails", ["user_id"], unique=False)


def downgrade() -> None:
    """Drop both; mails that wait are lost."""
    op.drop_index("ix_outbox_mails_user_id", table_name="outbox_mails")
    op.drop_index("ix_outbox_mails_finished_at", table_name="outbox_mails")
    op.drop_index(
        "ix_outbox_mails_due_at",
        table_name="outbox_mails",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index(
        "ix_outbox_mails_dead",
        table_name="outbox_mails",
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.drop_table("outbox_mails")
    op.drop_index("ix_mail_tokens_user_id", table_name="mail_tokens")
    op.drop_index("ix_mail_tokens_expires_at", table_name="mail_tokens")
    op.drop_table("mail_tokens")
