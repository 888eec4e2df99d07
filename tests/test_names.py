"""Replaced names are not used again."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Coined names that were replaced by a standard term and that cannot mean anything else.
REPLACED_NAMES = """
    AnyRow Borrower _Lent native_form NativeStatement built_once _written_out SingleWrite
    draw_id unless_late refusing_late LATEST_COMMIT UNSETTLED
    DirectRoutes _outline
    Envelope Faults OriginGate BodyGate LoadGate StreamGate ClientGone
    Departure await_signal is_near
    CursorSealer RankedRequest GREATEST_LIMIT USUAL_LIMITS
    Throttle open_throttle Throttled
    _tune _telling _untold StreamPlaces LOOK_INTERVAL
    Chore nobody_asks _FAREWELLS Eraser
    Postman _Wording NotSent NobodyThere NotWanted
    Visit RefreshClaim HeldSession LeavingSession FormerSession stated_session
    _refuse_strange_pair
    Fingerprints TELLING
    Occasion told_id
    AboutToEnd NotStarted InvalidPart
    known_to in_sight nobody_hidden_above lock_unseen is_heard
    bury _doomed hold_post_of
    BELONGINGS clear_up shut_out
    Wish Circle strange_lines _dealing_lately
    MANY_FOLLOWEES CARELESS
"""
REPLACED_PREFIXES = ("MOST", "LONGEST", "SHORTEST", "GREATEST", "LARGEST", "DEEPEST", "USUAL")


def test_no_code_uses_a_replaced_name() -> None:
    prefixes = "|".join(REPLACED_PREFIXES)
    pattern = re.compile(rf"\b({'|'.join(REPLACED_NAMES.split())}|_?({prefixes})_[A-Z_]+)\b")

    found = {
        f"{path.relative_to(ROOT).as_posix()}: {match[0]}"
        for path in _python_files()
        for match in pattern.finditer(path.read_text())
    }

    assert sorted(found) == []


def _python_files() -> Iterator[Path]:
    for folder in ("src", "tests", "bench", "dev_tools"):
        yield from (
            path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__)
        )
