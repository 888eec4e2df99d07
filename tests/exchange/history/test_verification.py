import json

import pytest
from tests.moderation.actions.conftest import Operate, operate
from tests.support.database import administer

from wxc.exchange.history.service import verification

__all__ = ["operate"]
_DISABLE_TRIGGERS = "ALTER TABLE rate_events DISABLE TRIGGER USER"
_FORGED_EVENT = """
    INSERT INTO rate_events (id, exchange_id, seq, at, currency, base_currency, unit, we_buy, hash)
    SELECT gen_random_uuid(), exchange_id, {seq}, now(), 'JPY', 'SGD', 1, {buy}, sha256('forged')
    FROM rate_events LIMIT 1
"""


async def test_an_untouched_history_has_no_faults(operate: Operate) -> None:
    result = await operate("verify-rates")

    assert (result.exit_code, result.output) == (0, "4 events of 4 boards.\n")
    found = json.loads((await operate("verify-rates", "--json")).output)
    assert found == {"boards": 4, "events": 4, "faults": []}


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE rate_events SET we_buy = we_buy - 0.0001", "was changed"),
        ("UPDATE rate_events SET we_buy = 0.8", "was changed"),
        ("UPDATE rate_events SET at = at + interval '1 second'", "was changed"),
        ("UPDATE rate_events SET seq = 2", "has no event 1"),
        ("DELETE FROM rate_events", "differs from its last event"),
        ("UPDATE exchange_rates SET we_buy = 0.7", "differs from its last event"),
        ("UPDATE exchange_rates SET valid_to = now()", "differs from its last event"),
        (_FORGED_EVENT.format(seq=2, buy="0.7"), "event 2 of board"),
        (_FORGED_EVENT.format(seq=3, buy="0.7"), "has no event 2"),
    ],
)
async def test_tampering_is_detected(
    operate: Operate,
    fresh_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tampering: str,
    fault: str,
) -> None:
    monkeypatch.setattr(verification, "_BOARD_BATCH_SIZE", 1)  # four batches of one board
    await administer(fresh_database_url, _DISABLE_TRIGGERS, tampering)

    result = await operate("verify-rates")

    assert result.exit_code == 1
    assert fault in result.output


async def test_a_recorded_event_that_is_missing_reveals_a_truncated_chain(
    operate: Operate, fresh_database_url: str
) -> None:
    recorded = f"1:{'ab' * 32}"

    result = await operate("verify-rates", "--head", recorded)

    assert result.exit_code == 1
    assert "no board has an event 1" in result.output
    assert (await operate("verify-rates", "--head", "1")).exit_code == 2
