"""docs/architecture.md names what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_page_describes_every_folder_of_the_package_and_no_other() -> None:
    described = re.findall(r"^\| `(\w+)/` \|", PAGE, re.M)
    folders = {path.parent.name for path in (ROOT / "src" / "wxc").glob("*/__init__.py")}

    assert sorted(described) == sorted(folders)


def test_every_path_on_the_page_is_there() -> None:
    for name in re.findall(r"`([\w/]+/\w*)`", PAGE):
        found = [ROOT / base / name for base in ("", "src", "src/wxc")]
        exists = [path for path in found if path.exists() or path.with_suffix(".py").exists()]

        assert exists, name
