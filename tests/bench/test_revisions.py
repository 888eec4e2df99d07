import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench import report, revisions
from bench.load import Findings, Round
from bench.options import parse_options
from bench.server import Server

OURS = Round(900.0, 30.0, 60.0, 2.5, 400.0, 800.0, 0.5)
OTHER = replace(OURS, p50=20.0, app_cpu=520.0)


def test_the_table_has_the_ratios_of_workloads_measured_at_both_revisions() -> None:
    rounds = {"feed": OURS, "feed at 0dd7aa4": OTHER, "like": OURS}

    table = report.text(Findings(rounds), [], parse_options(["--against", "0dd7aa4"]))

    assert table.splitlines()[-2].split() == [
        *("against", "0dd7aa4", "requests", "per", "CPU", "second", "p50"),
    ]
    assert table.splitlines()[-1].split() == ["feed", "1.30", "times", "1.50", "times"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose `dev` records its calls and their folders."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "dev").write_text('#!/bin/sh\npwd >>"$CALLS"\n')
    (root / "dev").chmod(0o755)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)  # noqa: S603, S607
    monkeypatch.setattr(revisions, "_ROOT", root)
    monkeypatch.setattr(revisions, "_FOLDER", tmp_path / "against")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return root


def test_a_revision_is_served_from_a_worktree_with_its_own_environment(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    @contextmanager
    def start_server(command: list[str], settings: dict[str, str]) -> Iterator[str]:
        commands.append(command)
        yield "served"

    monkeypatch.setattr(revisions, "start_server", start_server)
    monkeypatch.setattr(revisions, "environment", lambda url: {"DATABASE_URL": url})
    for _ in range(2):
        with revisions.serving_revision("HEAD", "postgresql://x") as server:
            assert str(server) == "served"

    (folder,) = (tmp_path / "against").iterdir()
    assert (folder / "dev").exists()
    assert commands == [[str(folder / ".venv" / "bin" / "wxc"), "serve"]] * 2


def test_an_unknown_revision_is_named(repository: Path) -> None:
    with (
        pytest.raises(SystemExit, match=r"rev-parse --verify nowhere\^\{commit\}"),
        revisions.serving_revision("nowhere", "postgresql://x"),
    ):
        raise AssertionError(Server)
