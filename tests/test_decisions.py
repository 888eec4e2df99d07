"""Decisions are numbered without gaps, have one page each, and all references to them resolve."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
MAX_LINES = 60
_REFERENCE = re.compile(r"decisions?(?:/| )0*(\d+)")


def test_decision_numbers_have_no_gaps_and_match_the_titles() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        assert path.read_text().startswith(f"# {int(path.name[:4])}. "), path.name


def test_every_decision_has_at_most_60_lines() -> None:
    longer = {path.name for path in DECISIONS if len(path.read_text().splitlines()) > MAX_LINES}

    assert not longer


def test_every_reference_to_a_decision_resolves() -> None:
    folders = ("alembic", "bench", "deploy", "dev_tools", "docs", "src", "tests")
    files = [
        *ROOT.glob("*.md"),
        *(
            path
            for folder in folders
            for kind in ("*.md", "*.py", "*.yaml")
            for path in (ROOT / folder).rglob(kind)
        ),
    ]
    found = {
        (str(path.relative_to(ROOT)), int(number))
        for path in files
        for number in _REFERENCE.findall(path.read_text())
    }

    assert found
    assert not {(name, number) for name, number in found if number > len(DECISIONS)}
