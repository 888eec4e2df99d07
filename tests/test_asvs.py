"""docs/asvs.md answers each requirement of OWASP ASVS 5.0.0, levels 1 and 2, with evidence."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/asvs.md").read_text()
TABLES, _, OPEN_LIST = PAGE.partition("\n## Open\n")
# Section: the numbers of its requirements of level 1 / of level 2.
REQUIREMENTS = """
    1.1:-/1,2 1.2:1,2,3,4,5/6,7,8,9 1.3:1,2/3,4,5,6,7,8,9,10,11 1.4:-/1,2,3 1.5:1/2 2.1:1/2,3
    2.2:1,2/3 2.3:1/2,3,4 2.4:-/1 3.2:1,2/- 3.3:1/2,3,4 3.4:1,2/3,4,5,6 3.5:1,2,3/4,5 3.7:-/1,2
    4.1:1/2,3 4.2:-/1 4.3:-/1,2 4.4:1/2,3,4 5.1:-/1 5.2:1,2/3 5.3:1,2/- 5.4:-/1,2,3 6.1:1/2,3
    6.2:1,2,3,4,5,6,7,8/9,10,11,12 6.3:1,2/3,4 6.4:1,2/3,4 6.5:-/1,2,3,4,5 6.6:-/1,2,3
    6.8:-/1,2,3,4 7.1:-/1,2,3 7.2:1,2,3,4/- 7.3:-/1,2 7.4:1,2/3,4,5 7.5:-/1,2 7.6:-/1,2 8.1:1/2
    8.2:1,2/3 8.3:1/- 8.4:-/1 9.1:1,2,3/- 9.2:1/2,3,4 10.1:-/1,2 10.2:-/1,2 10.3:-/1,2,3,4
    10.4:1,2,3,4,5/6,7,8,9,10,11 10.5:-/1,2,3,4,5 10.6:-/1,2 10.7:-/1,2,3 11.1:-/1,2
    11.2:-/1,2,3 11.3:1,2/3 11.4:1/2,3,4 11.5:-/1 11.6:-/1 12.1:1/2,3 12.2:1,2/- 12.3:-/1,2,3,4
    13.1:-/1 13.2:-/1,2,3,4,5 13.3:-/1,2 13.4:1/2,3,4,5 14.1:-/1,2 14.2:1/2,3,4 14.3:1/2,3
    15.1:1/2,3 15.2:1/2,3 15.3:1/2,3,4,5,6,7 16.1:-/1 16.2:-/1,2,3,4,5 16.3:-/1,2,3,4
    16.4:-/1,2,3 16.5:-/1,2,3 17.1:-/1 17.2:-/1,2,3,4 17.3:-/1,2
"""
CHAPTER_COUNTS = {
    **{"V1": 27, "V2": 11, "V3": 19, "V4": 10, "V5": 9, "V6": 35, "V7": 18, "V8": 7, "V9": 7},
    **{"V10": 29, "V11": 14, "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16, "V17": 7},
}
VERDICTS = {"met", "not applicable", "accepted", "open"}
ACCEPTED = {"V6.3.3"}  # multi-factor authentication; nothing else may be accepted
MAX_PARAPHRASE_WORDS = 12
_ROW = re.compile(r"\| (V\d+\.\d+\.\d+) (.+?) \| ([12]) \| ([a-z ]+) \| (.+) \|")
_ROOT_FILES = r"\w+\.(?:yaml|md|json|lock)|\.env\.example|\.dockerignore"
_FILE = re.compile(rf"`([\w.-]+/[\w./-]+\.\w+|{_ROOT_FILES})`")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


class Row(NamedTuple):
    id: str
    paraphrase: str
    level: str
    verdict: str
    how: str


ROWS = [Row(*match.groups()) for match in map(_ROW.fullmatch, TABLES.splitlines()) if match]


def _levels() -> dict[str, str]:
    """The level of each requirement."""
    return {
        f"V{section}.{number}": level
        for entry in REQUIREMENTS.split()
        for section, numbers in [entry.split(":")]
        for level, listed in zip("12", numbers.split("/"), strict=True)
        for number in listed.split(",")
        if number != "-"
    }


@cache
def _tests_in(path: Path) -> set[str]:
    """The names of test functions, those of classes as `Class::test`."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, functions):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, functions)}
    return {name for name in names if name.rpartition("::")[2].startswith("test_")}


def test_every_requirement_occurs_exactly_once_with_its_level() -> None:
    levels = _levels()

    assert len(levels) == sum(CHAPTER_COUNTS.values()) == 253
    for chapter, count in CHAPTER_COUNTS.items():
        assert sum(one.startswith(f"{chapter}.") for one in levels) == count, chapter
    assert sorted(row.id for row in ROWS) == sorted(levels)
    assert {row.id: row.level for row in ROWS} == levels
    assert TABLES.count("\n| V") == len(ROWS)


def test_every_requirement_is_in_the_table_of_its_chapter() -> None:
    tables = re.findall(r"^## (V\d+) [^\n]+\n\n(.*?)(?:\n\n|\Z)", TABLES, re.M | re.S)

    assert [chapter for chapter, _ in tables] == list(CHAPTER_COUNTS)
    for chapter, table in tables:
        heading, _, *rows = table.splitlines()
        assert heading == "| requirement | level | verdict | how |"
        assert all(row.startswith(f"| {chapter}.") for row in rows), chapter


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_has_a_verdict_and_a_reason(row: Row) -> None:
    assert row.verdict in VERDICTS
    assert row.how.strip()
    assert len(row.paraphrase.split()) <= MAX_PARAPHRASE_WORDS


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.verdict == "met"], ids=lambda row: row.id
)
def test_met_requirement_names_a_page_or_a_file_and_a_test(row: Row) -> None:
    files = _FILE.findall(row.how)

    assert files
    is_documented = all(file.endswith(".md") for file in files)  # which no test can check
    assert is_documented or _TEST.search(row.how)


@pytest.mark.parametrize("name", sorted(set(_FILE.findall(PAGE))))
def test_named_file_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("reference", sorted(set(_TEST.findall(PAGE))), ids="::".join)
def test_named_test_exists(reference: tuple[str, str]) -> None:
    path, name = reference

    assert name in _tests_in(ROOT / path)


def test_no_reference_escapes_the_checks() -> None:
    quoted = re.findall(r"`((?:src|tests|docs|deploy|clients)/[^`]+)`", PAGE)

    for text in quoted:
        assert _FILE.fullmatch(f"`{text}`") or _TEST.fullmatch(f"`{text}`"), text


def test_only_multi_factor_authentication_is_accepted_as_missing() -> None:
    assert {row.id for row in ROWS if row.verdict == "accepted"} == ACCEPTED


def test_open_requirements_are_exactly_those_of_the_list() -> None:
    listed = re.findall(r"^\* (V[\d.]+\d): \S", OPEN_LIST, re.M)

    assert listed == [row.id for row in ROWS if row.verdict == "open"]
