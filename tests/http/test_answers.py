"""Static types of response bodies."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PAGE = """
from wxc.social.posts.schemas import PostPage, PostViewer
from wxc.social.users.schemas import Relation, UserSummary

def viewer() -> PostViewer:
    return {viewer}

def page() -> PostPage:
    return {{"items": [], "next_cursor": None, "prev_cursor": {cursor}}}
"""


@pytest.mark.unmeasured
def test_type_checker_reports_missing_misspelt_and_wrongly_typed_fields(
    tmp_path: Path,
) -> None:
    cases = {
        "right.py": ('{"liked": True}', "None"),
        "missing.py": ("{}", "None"),
        "misspelt.py": ('{"likes": True}', "None"),
        "other_type.py": ('{"liked": "yes"}', "None"),
        "nested_type.py": ('{"liked": True}', "7"),
    }
    for name, (viewer, cursor) in cases.items():
        (tmp_path / name).write_text(_PAGE.format(viewer=viewer, cursor=cursor))

    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603

    errors = [line for line in ran.stdout.splitlines() if ": error:" in line]
    found = {Path(line.partition(":")[0]).name: line for line in errors}
    assert found.keys() == cases.keys() - {"right.py"}, ran.stdout + ran.stderr
    assert '"liked"' in found["missing.py"]
    assert '"likes"' in found["misspelt.py"]
    assert '"liked"' in found["other_type.py"]
    assert '"prev_cursor"' in found["nested_type.py"]
