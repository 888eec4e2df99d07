"""docs/architecture.md matches the source tree."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_architecture_page_describes_exactly_the_folders_of_the_package() -> None:
    described = re.findall(r"^\| `(\w+)/` \|", PAGE, re.M)
    folders = {path.parent.name for path in (ROOT / "src" / "wxc").glob("*/__init__.py")}

    assert sorted(described) == sorted(folders)


def test_every_path_on_the_architecture_page_exists() -> None:
    for name in re.findall(r"`([\w/]+/\w*)`", PAGE):
        found = [ROOT / base / name for base in ("", "src", "src/wxc")]
        exists = [path for path in found if path.exists() or path.with_suffix(".py").exists()]

        assert exists, name
