"""The database protects the audit trail; the worker deletes expired events."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.database import SingleConnectionDatabase, StatementLog, become_owner
from tests.support.factories import make_event, make_user

from wxc.core import clock
from wxc.core.config import Config
from wxc.models import AuditEvent
from wxc.moderation.audit import service
from wxc.moderation.audit.actors import Actor, IdentifierHasher


@pytest.fixture
async def ada(connection: AsyncConnection) -> UUID:
    return await make_user(connection, "ada")


async def count_events(connection: AsyncConnection, user_id: UUID) -> int:
    statement = select(func.count()).where(AuditEvent.user_id == user_id)
    return int((await connection.execute(statement)).scalar_one())


@pytest.mark.parametrize("days", [0, 29, 400])
async def test_audit_rows_cannot_be_updated(
    connection: AsyncConnection, ada: UUID, days: int
) -> None:
    await make_event(connection, ada, at=clock.now() - timedelta(days=days))
    await become_owner(connection)

    with pytest.raises(DBAPIError, match="audit events are kept as they are: UPDATE"):
        await connection.execute(update(AuditEvent).values(event="nothing"))


async def test_recent_audit_rows_cannot_be_deleted(connection: AsyncConnection, ada: UUID) -> None:
    await make_event(connection, ada, at=clock.now() - timedelta(days=29))

    with pytest.raises(DBAPIError, match="audit events are kept as they are: DELETE"):
        await connection.execute(delete(AuditEvent).where(AuditEvent.user_id == ada))


async def test_old_audit_rows_can_be_deleted(connection: AsyncConnection, ada: UUID) -> None:
    await make_event(connection, ada, at=clock.now() - timedelta(days=31))

    await connection.execute(delete(AuditEvent).where(AuditEvent.user_id == ada))

    assert await count_events(connection, ada) == 0


async def test_audit_table_cannot_be_truncated(connection: AsyncConnection) -> None:
    await become_owner(connection)

    with pytest.raises(DBAPIError, match="audit events are kept as they are: TRUNCATE"):
        await connection.execute(text("TRUNCATE audit_events"))


@pytest.mark.parametrize(
    "fields",
    [
        {"detail": {"text": "x" * 4100}},
        {"detail": ["a list"]},
        {"address_hash": b"192.0.2.1"},
        {"event": "not a name"},
    ],
    ids=str,
)
async def test_malformed_audit_rows_are_refused(
    connection: AsyncConnection, ada: UUID, fields: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError):
        await make_event(connection, ada, **fields)


async def test_worker_deletes_events_older_than_the_retention(
    connection: AsyncConnection, config: Config, ada: UUID
) -> None:
    for days in (364, 366, 800):
        await make_event(connection, ada, at=clock.now() - timedelta(days=days))

    retention = timedelta(seconds=config.audit_retention)
    await service.delete_expired(SingleConnectionDatabase(connection), retention)

    assert await count_events(connection, ada) == 1


async def test_deletion_of_events_is_batched(
    connection: AsyncConnection, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_BATCH_SIZE", 2)
    for days in (1, 400, 500, 600):
        await make_event(connection, ada, at=clock.now() - timedelta(days=days))

    with StatementLog().watching(connection) as log:
        await service.delete_expired(SingleConnectionDatabase(connection), timedelta(days=365))

    assert len(log.statements) == 2
    assert await count_events(connection, ada) == 1


async def test_events_of_a_member_and_oldest_events_use_an_index(
    connection: AsyncConnection, ada: UUID
) -> None:
    await connection.execute(
        text(
            "INSERT INTO audit_events (id, at, event, actor, user_id, detail) SELECT"
            " gen_random_uuid(), now(), 'login', 'client', gen_random_uuid(), '{}'"
            " FROM generate_series(1, 5000)"
        )
    )
    await become_owner(connection)
    await connection.execute(text("ANALYZE audit_events"))
    of_ada = f"WHERE user_id = '{ada}' ORDER BY id DESC LIMIT 20"
    oldest = f"WHERE id < '{UUID(int=1)}' ORDER BY id LIMIT 20"

    for clause, index in ((of_ada, "ix_audit_events_user_id_id"), (oldest, "pk_audit_events")):
        plan = await connection.execute(text(f"EXPLAIN SELECT id FROM audit_events {clause}"))  # noqa: S608
        assert index in str(plan.all())


def test_hash_depends_on_the_secret_and_on_its_purpose(config: Config) -> None:
    ours = IdentifierHasher(config)
    theirs = IdentifierHasher(config.model_copy(update={"secret_key": config.jwt_secret_key}))

    assert (
        ours.hash_address("192.0.2.1")
        == ours.hash_address("192.0.2.1")
        != ours.hash_address("192.0.2.2")
    )
    assert ours.hash_address("192.0.2.1") != theirs.hash_address("192.0.2.1")
    assert ours.hash_identifier("Ada") == ours.hash_identifier("ada")
    assert not ours.hash_address("ada").hex().startswith(ours.hash_identifier("ada"))


def test_operator_without_a_system_account_name_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nameless() -> str:
        raise KeyError("uid not found: 1234")

    monkeypatch.setenv("LOGNAME", "grace")
    assert Actor.operator().name == "operator grace"
    monkeypatch.setattr("getpass.getuser", nameless)
    assert Actor.operator().name == "operator"
