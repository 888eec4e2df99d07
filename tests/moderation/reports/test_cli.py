"""`wxc reports` commands."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.moderation.actions.conftest import Operate, operate
from tests.support.database import owner_url
from tests.support.factories import make_comment, make_post, make_report, make_user

from wxc.core import clock
from wxc.models import AuditEvent, Post, Report, ReportTarget, User

__all__ = ["operate"]
CLOSED: dict[str, Any] = {
    "closed_at": clock.now(),
    "closed_by": "operator grace",
    "note": "nothing to see",
}


@pytest.fixture
async def own(fresh_database_url: str) -> AsyncIterator[AsyncConnection]:
    """The owner's connection in autocommit mode to a database without other reports."""
    engine = create_async_engine(owner_url(fresh_database_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(delete(Report))
        yield connection
    await engine.dispose()


@pytest.fixture
async def ada(own: AsyncConnection) -> UUID:
    return await make_user(own, "ada", display_name="Ada", bio="Counts.")


@pytest.fixture
async def bob(own: AsyncConnection) -> UUID:
    return await make_user(own, "bob")


async def listed(operate: Operate, *options: str) -> list[str]:
    done = await operate("reports", "list", "--json", *options)
    assert done.exit_code == 0, done.output
    return [item["id"] for item in json.loads(done.output)]


def _named(target: dict[str, Any]) -> tuple[str, str | None]:
    return target["username"], target["text"]


class TestList:
    async def test_open_reports_are_oldest_first_and_all_reports_newest_first(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        first = await make_report(own, bob, ada)
        closed = await make_report(own, bob, ada, **CLOSED)
        latest = await make_report(own, ada, ada)

        assert await listed(operate) == [str(first), str(latest)]
        assert await listed(operate, "--limit", "1") == [str(first)]
        assert await listed(operate, "--all") == [str(each) for each in (latest, closed, first)]

    async def test_reports_are_printed_as_a_table(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        report = await make_report(own, bob, ada)

        done = await operate("reports", "list")

        head, row = done.output.splitlines()
        assert head.split() == ["REPORT", "WHEN", "REASON", "ABOUT", "TARGET", "BY", "CLOSED"]
        assert row.split()[0] == str(report)
        assert row.split()[3:] == ["spam", "user", str(ada), "bob", "-"]

    async def test_open_reports_use_their_index(self, own: AsyncConnection, bob: UUID) -> None:
        await own.execute(
            text(
                "INSERT INTO reports (id, target_type, target_id, reason, created_at, closed_at,"
                " closed_by, note) SELECT gen_random_uuid(), 'user', gen_random_uuid(), 'spam',"
                " now(), now(), 'operator', 'done' FROM generate_series(1, 5000)"
            )
        )
        await make_report(own, bob, bob)
        await own.execute(text("ANALYZE reports"))

        queue = "SELECT id FROM reports WHERE closed_at IS NULL ORDER BY id LIMIT 50"
        assert "ix_reports_open" in str((await own.execute(text(f"EXPLAIN {queue}"))).all())


class TestShow:
    async def test_report_shows_the_current_text_of_a_post(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        post = await make_post(own, ada, "Buy \x1b[2J gold\u202e!")
        report = await make_report(own, bob, post, ReportTarget.POST, detail="again and again")

        done = await operate("reports", "show", str(report))

        assert done.exit_code == 0, done.output
        assert "again and again" in done.output
        assert done.output.endswith("ada:\nBuy \\x1b[2J gold\\u202e!\n")

        await own.execute(delete(Post).where(Post.id == post))
        done = await operate("reports", "show", str(report))
        assert "was deleted" in done.output

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"display_name": "Ada", "bio": "Counts."}, "Ada\nCounts."),
            ({"bio": "Counts."}, "Counts."),
            ({}, None),
        ],
    )
    async def test_report_shows_name_and_bio_of_a_profile(
        self,
        operate: Operate,
        own: AsyncConnection,
        bob: UUID,
        fields: dict[str, str],
        text: str | None,
    ) -> None:
        eve = await make_user(own, "eve", suspended_at=clock.now(), **fields)
        report = await make_report(own, bob, eve)

        done = await operate("reports", "show", str(report), "--json")

        assert _named(json.loads(done.output)["target"]) == ("eve", text)
        shown = (await operate("reports", "show", str(report))).output
        assert shown.endswith(f"eve:\n{text or '(no text)'}\n")

    async def test_report_shows_the_current_text_of_a_comment(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        comment = await make_comment(own, ada, await make_post(own, bob), body="Buy gold!")
        report = await make_report(own, bob, comment, ReportTarget.COMMENT)

        done = await operate("reports", "show", str(report), "--json")

        assert _named(json.loads(done.output)["target"]) == ("ada", "Buy gold!")

    @pytest.mark.parametrize("kind", [ReportTarget.COMMENT, ReportTarget.EXCHANGE])
    async def test_report_of_an_object_without_text_has_no_target(
        self, operate: Operate, own: AsyncConnection, bob: UUID, kind: ReportTarget
    ) -> None:
        report = await make_report(own, bob, uuid4(), kind)

        done = await operate("reports", "show", str(report), "--json")

        assert json.loads(done.output)["target"] is None

    @pytest.mark.parametrize("command", [("show",), ("close", "--note", "done")])
    async def test_unknown_report_exits_with_1(
        self, operate: Operate, command: tuple[str, ...]
    ) -> None:
        done = await operate("reports", *command, str(uuid4()))

        assert (done.exit_code, done.stderr) == (1, "wxc: No report has this id.\n")


class TestClose:
    async def test_closed_report_has_operator_and_note(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        report = await make_report(own, bob, ada)

        done = await operate("reports", "close", str(report), "--note", "warned the member")

        assert (done.exit_code, done.output) == (0, "The report is closed.\n")
        assert await listed(operate) == []
        row = (await own.execute(select(Report.closed_by, Report.note))).one()
        assert tuple(row) == ("operator grace", "warned the member")
        events = select(AuditEvent.actor, AuditEvent.detail).where(
            AuditEvent.event == "report_closed"
        )
        assert (await own.execute(events)).all() == [("operator grace", {"report": str(report)})]

    async def test_closing_twice_changes_nothing(
        self, operate: Operate, own: AsyncConnection, ada: UUID, bob: UUID
    ) -> None:
        report = await make_report(own, bob, ada)
        await operate("reports", "close", str(report), "--note", "warned the member")

        done = await operate("reports", "close", str(report), "--note", "once more")

        assert done.exit_code == 0
        assert done.output.startswith("Already closed by operator grace, 20")
        repeated = await operate("reports", "close", str(report), "--note", "again", "--json")
        assert json.loads(repeated.output) == {"changed": False, "closed_by": "operator grace"}
        assert done.output.endswith(": warned the member\n")
        closed = select(AuditEvent.id).where(AuditEvent.event == "report_closed")
        assert len((await own.execute(closed)).all()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"target_type": "message"},
        {"reason": "boredom"},
        {"detail": "x" * 1001},
        {"closed_at": clock.now()},
        CLOSED | {"note": None},
        CLOSED | {"closed_at": None},
    ],
    ids=lambda fields: ",".join(fields),
)
async def test_malformed_report_is_not_stored(
    connection: AsyncConnection, fields: dict[str, Any]
) -> None:
    person = await make_user(connection)

    with pytest.raises(DBAPIError):
        await make_report(connection, person, person, **fields)


async def test_report_survives_the_reporters_account(
    connection: AsyncConnection,
) -> None:
    reporter, reported = await make_user(connection), await make_user(connection)
    report = await make_report(connection, reporter, reported)

    await connection.execute(delete(User).where(User.id.in_([reporter, reported])))

    row = (await connection.execute(select(Report).where(Report.id == report))).one()
    assert (row.reporter_id, row.target_id) == (None, reported)
    assert row.created_at > clock.now() - timedelta(minutes=1)
