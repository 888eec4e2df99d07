import pytest
from fastapi import FastAPI
from tests.support.board_streams import STREAM, rate_sides, read_reset, read_snapshot
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.fake_time import FakeTime
from tests.support.streams import open_stream

from wxc.exchange.domain.chain import GENESIS_HASH
from wxc.exchange.stream import service as board_stream


async def test_every_missed_change_is_replayed_once(
    first_app: FastAPI,
    owner_and_visitor: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board_stream, "_BATCH_SIZE", 2)  # so that the replay needs several reads
    owner, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        known = (await read_snapshot(stream)).id
    prices = [f"0.90{number}" for number in range(5)]
    for price in prices:
        await owner.put("/exchange", json=board(yen(price)))

    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        snapshot = await read_snapshot(stream)
        events = [await stream.next() for _ in range(6)]
    async with open_stream(first_app, visitor, STREAM, last_event_id=events[3].id) as stream:
        await read_snapshot(stream)
        rest = [await stream.next() for _ in range(2)]

    assert snapshot.id == known  # a client that disconnects now resumes at the same event
    assert snapshot.data["rates"][0]["we_buy"] == "0.904"
    assert [buy for code, buy, _ in map(rate_sides, events) if code == "JPY"] == prices
    assert [event.data["seq"] for event in events] == list(range(3, 9))
    assert rest == events[4:]


async def test_a_board_without_history_can_be_resumed(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    await owner.delete("/exchange")
    await owner.put("/exchange", json={**board(), "rates": []})
    async with open_stream(first_app, visitor, STREAM) as stream:
        known = (await read_snapshot(stream)).id
    await owner.put("/exchange", json=board())

    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_snapshot(stream)
        events = [rate_sides(await stream.next())[0] for _ in range(2)]

    assert known == f"0:{GENESIS_HASH.hex()}"
    assert events == ["JPY", "USD"]


@pytest.mark.parametrize(
    "known",
    [
        *("garbage", "", "1", f"1:{'0' * 64}", f"999:{'a' * 64}", f"0:{'1' * 64}"),
        f"-1:{'0' * 64}",
        f"{1 << 31}:{'0' * 64}",  # out of range of the `seq` column
    ],
)
async def test_an_unknown_event_id_causes_a_reset(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser], known: str
) -> None:
    _, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        head = (await read_snapshot(stream)).id

    async with open_stream(first_app, visitor, STREAM, last_event_id=known or "0:") as stream:
        assert (await read_reset(stream)).id == head


async def test_an_event_id_of_a_deleted_board_causes_a_reset(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        known = (await read_snapshot(stream)).id
    await owner.delete("/exchange")
    await owner.put(
        "/exchange", json=board(yen("1"), yen("2", currency="EUR"), yen("3", currency="THB"))
    )

    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_reset(stream)


async def test_too_many_or_too_old_changes_cause_a_reset(
    first_app: FastAPI,
    owner_and_visitor: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
    time: FakeTime,
) -> None:
    owner, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        known = (await read_snapshot(stream)).id

    time.advance(hours=30)
    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_snapshot(stream)
        await owner.put("/exchange", json=board(yen("0.9")))
        assert rate_sides(await stream.next())[1] == "0.9"  # no change was missed: no reset

    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_snapshot(stream)
        assert rate_sides(await stream.next())[1] == "0.9"

    monkeypatch.setattr(board_stream, "_MAX_REPLAYED", 1)
    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_reset(stream)

    monkeypatch.setattr(board_stream, "_MAX_REPLAYED", 1000)
    time.advance(hours=25)
    async with open_stream(first_app, visitor, STREAM, last_event_id=known) as stream:
        await read_reset(stream)
