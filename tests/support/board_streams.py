from tests.support.streams import Event, Stream

STREAM = "/users/tan/exchange/stream"


async def read_snapshot(stream: Stream) -> Event:
    snapshot = await stream.next()
    assert snapshot.name == "snapshot"
    return snapshot


async def read_reset(stream: Stream) -> Event:
    """The snapshot that follows a `reset`."""
    reset = await stream.next()
    assert (reset.name, reset.id) == ("reset", "")
    return await read_snapshot(stream)


def rate_sides(event: Event) -> tuple[str, str | None, str | None]:
    assert event.name == "rates"
    return event.data["currency"], event.data["we_buy"], event.data["we_sell"]
