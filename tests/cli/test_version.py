"""`wxc --version` prints the version and the revision that the process runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REVISION = "abc1234def0123456789abc1234def0123456789"


def print_version(package: Path, **environment: str) -> str:
    """The output of `wxc --version` of the package in this folder."""
    code = f"import sys; sys.path.insert(0, {str(package)!r}); from wxc.cli.main import app; app()"
    command = [sys.executable, "-P", "-c", code, "--version"]
    ran = subprocess.run(  # noqa: S603 - no external input
        command,
        env={"PATH": "/usr/bin:/bin", "HOME": "/root", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - no external input
    return ran.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, in the layout of a checkout but without git."""
    shutil.copytree(ROOT / "src", tmp_path / "tree" / "src")
    return tmp_path / "tree" / "src"


def test_the_revision_of_the_image_build_is_printed(package: Path) -> None:
    assert print_version(package, REVISION=REVISION) == "wxc 0.1.0 (abc1234)"
    assert print_version(package, REVISION="v2-rc.1") == "wxc 0.1.0 (v2-rc.1)"


def test_a_checkout_names_its_commit(package: Path) -> None:
    tree = package.parent
    git(tree, "init", "-q")
    git(tree, "commit", "-q", "--allow-empty", "-m", "First")

    assert print_version(package) == f"wxc 0.1.0 ({git(tree, 'rev-parse', 'HEAD')[:7]})"


@pytest.mark.parametrize("revision", ["", "unknown"])
def test_without_either_the_revision_is_unknown(package: Path, revision: str) -> None:
    git(package.parents[1], "init", "-q")  # of a project that only contains the installation
    git(package.parents[1], "commit", "-q", "--allow-empty", "-m", "Another project")

    assert print_version(package, REVISION=revision) == "wxc 0.1.0 (unknown)"


def test_the_image_and_compose_pass_the_revision_on() -> None:
    _, _, final = (ROOT / "Dockerfile").read_text().partition("AS wxc\n")
    stage = final.partition("\nFROM ")[0]
    api = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["api"]

    assert "ARG REVISION=unknown" in stage
    assert "REVISION=${REVISION}" in stage.partition("\nENV ")[2]
    assert api["build"]["args"]["REVISION"] == "${REVISION:-unknown}"
