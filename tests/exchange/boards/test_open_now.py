from datetime import UTC, datetime

from tests.conftest import Member
from tests.support.boards import board
from tests.support.fake_time import FakeTime


async def test_open_now_needs_hours_and_a_zone(member: Member, time: FakeTime) -> None:
    ada = await member("ada")
    time.now = datetime(2026, 12, 7, 2, tzinfo=UTC)
    hours = [{"weekday": 1, "opens": "09:00", "closes": "18:30"}]
    singapore = "Asia/Singapore"

    async def open_now(**fields: object) -> object:
        return (await ada.put("/exchange", json=board(**fields))).json()["open_now"]

    assert await open_now(opening_hours=hours) is None
    assert await open_now(time_zone=singapore) is None
    assert await open_now(opening_hours=hours, time_zone=singapore) is True
    time.advance(hours=9)
    assert (await ada.get("/exchange")).json()["open_now"] is False
