"""The worked example of CONTRIBUTING.md is a working feature."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wxc.db.migrations import schema_revisions

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(?:python|text) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    """The path and the text of each block that names a file."""
    return _BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())


@pytest.mark.unmeasured
def test_worked_example_passes_its_tests_in_a_copy_of_the_package(tmp_path: Path) -> None:
    for name in ("src", "tests", "alembic", "dev_tools"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("alembic.ini", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    for path, text in blocks():
        _put(tmp_path / path, text.replace("{head}", schema_revisions()[0]))

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/social/bookmarks"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def _put(path: Path, text: str) -> None:
    """Write a new file; in an existing one, insert the block after its first line."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    anchor, added = text.split("\n", 1)
    content = path.read_text()
    assert content.count(f"{anchor}\n") == 1, (path, anchor)
    path.write_text(content.replace(f"{anchor}\n", f"{anchor}\n{added}"))


def test_worked_example_has_every_tier() -> None:
    names = {Path(path).name for path, _ in blocks()}

    assert {"repository.py", "service.py", "router.py", "schemas.py", "test_router.py"} <= names
