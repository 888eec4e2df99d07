"""Exchanges: boards, their rates, and the history of these."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEPT = ("rate_events", "exchange_confirmations")
# What is written stays, unless the whole board goes or its owner has left.
_REFUSE = """
    CREATE FUNCTION refuse_change_of_rate_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (
            SELECT FROM exchanges JOIN users ON users.id = exchanges.owner_id
            WHERE exchanges.id = OLD.exchange_id AND users.erase_at IS NULL
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the history of rates is kept as it is: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END
    $$
"""
_GUARD_ROWS = """
    CREATE TRIGGER {0}_are_kept BEFORE UPDATE OR DELETE ON {0}
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_rate_history()
"""
_GUARD_TABLE = """
    CREATE TRIGGER {0}_are_not_truncated BEFORE TRUNCATE ON {0}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_rate_history()
"""


def upgrade() -> None:
    """Create the tables, and what keeps the history as it is."""
    op.create_table(
        "exchanges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("description", sa.String(length=1000), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column(
            "location",
            Geography(geometry_type="POINT", srid=4326, spatial_index=False),
            nullable=True,
        ),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("opening_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_for_hours", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "base_currency ~ '^[A-Z]{3}$'", name=op.f("ck_exchanges_base_currency_form")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(opening_hours) = 'array' AND jsonb_array_length(opening_hours) <= 28",
            name=op.f("ck_exchanges_opening_hours_bounded"),
        ),
        sa.CheckConstraint(
            "valid_for_hours BETWEEN 1 AND 168", name=op.f("ck_exchanges_valid_for_hours_bounded")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_exchanges_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchanges")),
        sa.UniqueConstraint("owner_id", name=op.f("uq_exchanges_owner_id")),
    )
    op.create_index(
        "ix_exchanges_location", "exchanges", ["location"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "exchange_confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("valid_for_hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchanges.id"],
            name=op.f("fk_exchange_confirmations_exchange_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_confirmations")),
        sa.UniqueConstraint(
            "exchange_id", "at", name=op.f("uq_exchange_confirmations_exchange_id_at")
        ),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("we_buy", sa.Numeric(), nullable=True),
        sa.Column("we_sell", sa.Numeric(), nullable=True),
        sa.Column("min_amount", sa.Numeric(), nullable=True),
        sa.Column("max_amount", sa.Numeric(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "base_currency ~ '^[A-Z]{3}$'", name=op.f("ck_exchange_rates_base_currency_form")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_exchange_rates_currency_form")),
        sa.CheckConstraint(
            "currency <> base_currency", name=op.f("ck_exchange_rates_currency_foreign")
        ),
        sa.CheckConstraint(
            "max_amount >= 0 AND max_amount < 1e12 AND scale(max_amount) <= 10",
            name=op.f("ck_exchange_rates_max_amount_bounded"),
        ),
        sa.CheckConstraint(
            "min_amount <= max_amount",
            name=op.f("ck_exchange_rates_min_amount_not_above_max_amount"),
        ),
        sa.CheckConstraint(
            "min_amount >= 0 AND min_amount < 1e12 AND scale(min_amount) <= 10",
            name=op.f("ck_exchange_rates_min_amount_bounded"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(we_buy, we_sell) > 0", name=op.f("ck_exchange_rates_offered")
        ),
        sa.CheckConstraint(
            "unit IN (1, 10, 100, 1000, 10000)", name=op.f("ck_exchange_rates_unit_known")
        ),
        sa.CheckConstraint(
            "valid_from < valid_to", name=op.f("ck_exchange_rates_shown_for_a_while")
        ),
        sa.CheckConstraint(
            "we_buy <= we_sell", name=op.f("ck_exchange_rates_we_buy_not_above_we_sell")
        ),
        sa.CheckConstraint(
            "we_buy > 0 AND we_buy < 1e12 AND scale(we_buy) <= 10",
            name=op.f("ck_exchange_rates_we_buy_bounded"),
        ),
        sa.CheckConstraint(
            "we_sell > 0 AND we_sell < 1e12 AND scale(we_sell) <= 10",
            name=op.f("ck_exchange_rates_we_sell_bounded"),
        ),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchanges.id"],
            name=op.f("fk_exchange_rates_exchange_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
    )
    op.create_index(
        "ix_exchange_rates_currency_exchange_id",
        "exchange_rates",
        ["currency", "exchange_id"],
        unique=False,
    )
    op.create_index(
        "ix_exchange_rates_exchange_id_valid_to",
        "exchange_rates",
        ["exchange_id", "valid_to"],
        unique=False,
    )
    op.create_index(
        "uq_exchange_rates_exchange_id_currency",
        "exchange_rates",
        ["exchange_id", "currency"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "rate_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("we_buy", sa.Numeric(), nullable=True),
        sa.Column("we_sell", sa.Numeric(), nullable=True),
        sa.Column("min_amount", sa.Numeric(), nullable=True),
        sa.Column("max_amount", sa.Numeric(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "base_currency ~ '^[A-Z]{3}$'", name=op.f("ck_rate_events_base_currency_form")
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_rate_events_currency_form")),
        sa.CheckConstraint(
            "currency <> base_currency", name=op.f("ck_rate_events_currency_foreign")
        ),
        sa.CheckConstraint(
            "max_amount >= 0 AND max_amount < 1e12 AND scale(max_amount) <= 10",
            name=op.f("ck_rate_events_max_amount_bounded"),
        ),
        sa.CheckConstraint(
            "min_amount <= max_amount", name=op.f("ck_rate_events_min_amount_not_above_max_amount")
        ),
        sa.CheckConstraint(
            "min_amount >= 0 AND min_amount < 1e12 AND scale(min_amount) <= 10",
            name=op.f("ck_rate_events_min_amount_bounded"),
        ),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_rate_events_hash_length")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_rate_events_seq_positive")),
        sa.CheckConstraint(
            "unit IN (1, 10, 100, 1000, 10000)", name=op.f("ck_rate_events_unit_known")
        ),
        sa.CheckConstraint(
            "we_buy <= we_sell", name=op.f("ck_rate_events_we_buy_not_above_we_sell")
        ),
        sa.CheckConstraint(
            "we_buy > 0 AND we_buy < 1e12 AND scale(we_buy) <= 10",
            name=op.f("ck_rate_events_we_buy_bounded"),
        ),
        sa.CheckConstraint(
            "we_sell > 0 AND we_sell < 1e12 AND scale(we_sell) <= 10",
            name=op.f("ck_rate_events_we_sell_bounded"),
        ),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchanges.id"],
            name=op.f("fk_rate_events_exchange_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_events")),
        sa.UniqueConstraint(
            "exchange_id", "currency", "at", name=op.f("uq_rate_events_exchange_id_currency_at")
        ),
        sa.UniqueConstraint("exchange_id", "seq", name=op.f("uq_rate_events_exchange_id_seq")),
    )
    op.execute(_REFUSE)
    for table in _KEPT:
        op.execute(_GUARD_ROWS.format(table))
        op.execute(_GUARD_TABLE.format(table))


def downgrade() -> None:
    """Drop them; what they hold is lost."""
    op.drop_table("rate_events")
    op.drop_index(
        "uq_exchange_rates_exchange_id_currency",
        table_name="exchange_rates",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index("ix_exchange_rates_exchange_id_valid_to", table_name="exchange_rates")
    op.drop_index("ix_exchange_rates_currency_exchange_id", table_name="exchange_rates")
    op.drop_table("exchange_rates")
    op.drop_table("exchange_confirmations")
    op.drop_index("ix_exchanges_location", table_name="exchanges", postgresql_using="gist")
    op.drop_table("exchanges")
    op.execute("DROP FUNCTION refuse_change_of_rate_history()")
