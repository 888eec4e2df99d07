"""The rights of the service's role: the rows of our tables, not the schema.

A role that owns a table can disable its triggers, which protect the audit trail.
"""

import asyncpg

from wxc.core.config import Config
from wxc.core.database_urls import libpq_url

# Only rights on tables with a trigger `refuse_change_of_…` are append-only: the trigger itself
# decides which rows may be deleted. Tables of extensions belong to no migration.
_GRANTS = r"""
DO $grants$
DECLARE
    service CONSTANT text := {role};
    relation record;
BEGIN
    FOR relation IN
        SELECT pg_class.oid::regclass AS name, CASE
            WHEN relname = 'alembic_version' THEN 'SELECT'
            WHEN EXISTS (
                SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                WHERE tgrelid = pg_class.oid AND proname LIKE 'refuse\_change\_of\_%'
            ) THEN 'SELECT, INSERT, DELETE'
            ELSE 'SELECT, INSERT, UPDATE, DELETE'
        END AS rights
        FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND rolname = current_user AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
            )
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', relation.name, service);
        EXECUTE format('GRANT %s ON %s TO %I', relation.rights, relation.name, service);
    END LOOP;
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public'
        ' GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', service);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public'
        ' GRANT USAGE ON SEQUENCES TO %I', service);
END $grants$
"""
_STATE = """
SELECT rolsuper OR coalesce(pg_has_role(current_user, relowner, 'USAGE'), false),
    current_setting('log_parameter_max_length') <> '0'
        OR current_setting('log_error_verbosity') <> 'terse'
FROM pg_roles LEFT JOIN pg_class ON pg_class.oid = to_regclass('public.audit_events')
WHERE rolname = current_user
"""


def grants_to(role: str) -> str:
    """A statement with which the owner grants the service its rights; repeatable."""
    quoted = role.replace("'", "''")
    return _GRANTS.replace("{role}", f"'{quoted}'")


async def find_weaknesses(config: Config) -> list[str]:
    """Advice about the rights of DATABASE_URL's role and the server's log, for the operator."""
    connection = await asyncpg.connect(libpq_url(config.database_url))
    try:
        may_change_schema, logs_values = (await connection.fetch(_STATE))[0]
    finally:
        await connection.close()
    weaknesses = {
        "DATABASE_URL's role can change the schema and disable the audit trail's triggers: set "
        "DATABASE_OWNER_URL for wxc migrate.": may_change_schema,
        "PostgreSQL logs the values of statements, such as e-mail addresses: set "
        "log_parameter_max_length = 0 and log_error_verbosity = terse.": logs_values,
    }
    return [f"{text} See docs/operations.md." for text, found in weaknesses.items() if found]
