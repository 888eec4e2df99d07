"""The wheel contains the package and nothing else from the repository."""

import subprocess
import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from dev_tools.paths import this_checkout

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel that the Dockerfile's `uv pip install .` builds; needs no network."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = str(this_checkout().uv)
    subprocess.run(  # noqa: S603 - the uv that ./dev has installed
        [
            *(uv, "build", "--wheel", "--offline", "--no-cache", "--quiet"),
            *("--python", sys.executable, "--out-dir", str(folder), str(ROOT)),
        ],
        check=True,
    )
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def test_wheel_contains_only_the_package_and_its_metadata(wheel: ZipFile) -> None:
    (metadata,) = {name.split("/")[0] for name in wheel.namelist()} - {"wxc"}
    modules = {path.relative_to(ROOT / "src").as_posix() for path in _modules(ROOT / "src" / "wxc")}

    assert metadata.startswith("wxc_social-")
    assert metadata.endswith(".dist-info")
    assert {name for name in wheel.namelist() if name.endswith(".py")} == modules


def test_wheel_contains_no_development_tools(wheel: ZipFile) -> None:
    tools = {path.read_bytes() for path in _modules(ROOT / "dev_tools")} - {b""}
    commands = wheel.read(next(name for name in wheel.namelist() if "entry_points" in name))

    assert tools
    for name in wheel.namelist():
        assert "dev_tools" not in PurePosixPath(name).parts
        assert wheel.read(name) not in tools, name
    assert commands.split() == [b"[console_scripts]", b"wxc", b"=", b"wxc.cli.main:app"]


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))
