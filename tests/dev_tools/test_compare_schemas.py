from pathlib import Path

import pytest

from dev_tools.compare_schemas import main

DUMP = """--
-- PostgreSQL database dump
--

\\restrict key

-- Dumped by pg_dump version 15.20

SET statement_timeout = 0;

--
-- Name: {table}; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.{table} (
    version_num text
);


--
-- Name: posts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.posts (
    id uuid NOT NULL,
    body text
);

\\unrestrict key
"""


@pytest.fixture
def compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Compare":
    return Compare(tmp_path, monkeypatch, capsys)


class Compare:
    """Runs the command on two texts and returns its exit status and its output."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._folder, self._patch, self._capsys = folder, patch, capsys

    def __call__(self, old: str, new: str) -> tuple[int, str]:
        paths = [self._folder / "old.sql", self._folder / "new.sql"]
        for path, text in zip(paths, (old, new), strict=True):
            path.write_text(text)
        self._patch.setattr("sys.argv", ["compare_schemas", *map(str, paths)])
        return main(), self._capsys.readouterr().out


def test_restrict_keys_comments_and_the_version_table_are_ignored(compare: Compare) -> None:
    old = DUMP.format(table="alembic_version")
    new = old.replace("restrict key", "restrict other").replace("15.20", "17.1")
    new = new.replace("version_num text", "version_num varchar(32)")

    status, output = compare(old, new)

    assert (status, output.splitlines()[-1]) == (0, "The schemas are equal.")
    assert "1 TABLE" in output


def test_a_different_order_of_columns_is_a_difference(compare: Compare) -> None:
    old = DUMP.format(table="alembic_version")
    new = old.replace(
        "    id uuid NOT NULL,\n    body text\n", "    body text,\n    id uuid NOT NULL\n"
    )

    status, output = compare(old, new)

    assert (status, output.splitlines()[0]) == (1, "TABLE posts")
    assert "    -    body text" in output.splitlines()


def test_a_missing_object_is_named(compare: Compare) -> None:
    status, output = compare(DUMP.format(table="likes"), DUMP.format(table="alembic_version"))

    assert (status, output.splitlines()[0]) == (1, "TABLE likes")
    assert output.splitlines()[-1] == "The schemas differ."
