"""Search folds accents and case of display names."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = (
    "0006_search_folding",
    "0004_report_snapshots",
    None,
    None,
)

# Compatibility decomposition, without the marks of Latin, Greek, Cyrillic, Hebrew and Arabic; then
# the letters that Unicode does not decompose. Needs no extension, unlike `unaccent`.
_FOLD = r"""
CREATE FUNCTION search_fold(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(replace(replace(
        translate(
            lower(regexp_replace(
                normalize(name, NFKD),
                '[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff]', '', 'g'
            )),
            'łøđðħıŧŋς', 'loddhitnσ'
        ),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
"""  # noqa: RUF001 - Greek letters
_FOLD_DISPLAY_NAME = """
CREATE FUNCTION fold_display_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.display_name_folded := search_fold(NEW.display_name);
        RETURN NEW;
    END $$
"""
# A trigger, since the previous release does not write the column.
_TRIGGER = """
CREATE TRIGGER fold_display_name BEFORE INSERT OR UPDATE OF display_name, display_name_folded
    ON users FOR EACH ROW EXECUTE FUNCTION fold_display_name()
"""


def upgrade() -> None:
    """Add the column, which the next migration fills, and have the database write it."""
    op.execute(_FOLD)
    op.add_column("users", sa.Column("display_name_folded", sa.Text(), nullable=True))
    op.execute(_FOLD_DISPLAY_NAME)
    op.execute(_TRIGGER)


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP TRIGGER fold_display_name ON users")
    op.execute("DROP FUNCTION fold_display_name()")
    op.drop_column("users", "display_name_folded")
    op.execute("DROP FUNCTION search_fold(text)")
