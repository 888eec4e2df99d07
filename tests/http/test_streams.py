from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from wxc.core.config import Config
from wxc.http.refusals.access import TooManyStreams
from wxc.http.refusals.server import Overloaded
from wxc.http.streams import StreamLimiter
from wxc.http.traffic import Traffic

ADDRESS = "192.0.2.1"


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


@pytest.fixture
def limiter(config: Config, traffic: Traffic) -> StreamLimiter:
    bounds = {
        "streams_in_flight": 5,
        "streams_per_session": 2,
        "streams_per_address": 1,
        "streams_per_ipv6_site": 2,
    }
    return StreamLimiter(config.model_copy(update=bounds), traffic)


def test_anonymous_viewers_get_at_most_half_of_the_slots_rounded_down(
    limiter: StreamLimiter, traffic: Traffic
) -> None:
    with ExitStack() as stack:
        for address in ("192.0.2.1", "192.0.2.2"):
            stack.enter_context(limiter.slot(None, address))

        with pytest.raises(Overloaded):
            stack.enter_context(limiter.slot(None, "192.0.2.3"))
        for _ in range(3):
            stack.enter_context(limiter.slot(uuid4(), ADDRESS))
        with pytest.raises(Overloaded):
            stack.enter_context(limiter.slot(uuid4(), ADDRESS))
        assert traffic.streams == {"anonymous": 2, "member": 3}

    assert traffic.streams.total() == 0


@pytest.mark.parametrize(
    ("addresses", "refused"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["2001:db8:1:1::1"], "2001:db8:1:1::2"),
        (["2001:db8:1:1::1", "2001:db8:1:2::1"], "2001:db8:1:3::1"),
        (["local"], "local"),
    ],
)
def test_anonymous_viewers_are_limited_by_address_network_and_site(
    limiter: StreamLimiter, addresses: list[str], refused: str
) -> None:
    with ExitStack() as stack:
        for address in addresses:
            stack.enter_context(limiter.slot(None, address))

        with pytest.raises(TooManyStreams):
            stack.enter_context(limiter.slot(None, refused))


def test_streams_and_exports_of_a_session_are_counted_separately(limiter: StreamLimiter) -> None:
    session_id = UUID(int=1)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(limiter.slot(session_id, ADDRESS))
        stack.enter_context(limiter.export_slot(session_id))

        for more in (limiter.slot(session_id, ADDRESS), limiter.export_slot(session_id)):
            with pytest.raises(TooManyStreams):
                stack.enter_context(more)


def test_slot_of_a_failed_stream_is_released_and_its_counter_removed(
    limiter: StreamLimiter, traffic: Traffic
) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limiter.slot(None, "2001:db8::1"):
            raise ZeroDivisionError

    assert traffic.streams.total() == 0
    assert not limiter._slots


def test_refused_stream_is_not_counted(limiter: StreamLimiter, traffic: Traffic) -> None:
    with limiter.slot(None, ADDRESS):
        for _ in range(3):
            with pytest.raises(TooManyStreams), limiter.slot(None, ADDRESS):
                raise AssertionError("not reached")

    assert not limiter._slots
    assert traffic.streams.total() == 0
