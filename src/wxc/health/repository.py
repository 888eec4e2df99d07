from typing import NamedTuple

from sqlalchemy import Double, String, case, cast, column, func, select, table

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared


class SchemaRevision(NamedTuple):
    version_num: str


@prepared(SchemaRevision)
def schema_revision() -> AnySelect:
    """No row before the first migration."""
    return select(column("version_num", String)).select_from(table("alembic_version"))


class ReplicaLag(NamedTuple):
    seconds: float


@prepared(ReplicaLag)
def replica_lag() -> AnySelect:
    """The age of the last replayed transaction, 0 if all that was received is replayed."""
    has_caught_up = func.coalesce(
        func.pg_last_wal_receive_lsn() == func.pg_last_wal_replay_lsn(), True
    )
    age = func.extract("epoch", func.now() - func.pg_last_xact_replay_timestamp())
    return select(cast(case((has_caught_up, 0), else_=age), Double).label("seconds"))
