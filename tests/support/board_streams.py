from tests.support.streams import Event, Stream

STREAM = "/users/tan/exchange/stream"


async def read_snapshot(stream: Stream) -> Event:
    snapshot = await stream.next()
    assert snapshot.name == "snapshot"
    return snapshot


def rate_sides(event: Event) -> tuple[str, str | None, str | None]:
    assert event.name == "rates"
    return event.data["currency"], event.data["we_buy"], event.data["we_sell"]
