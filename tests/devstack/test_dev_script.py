import subprocess
from pathlib import Path

import pytest

DEV = Path(__file__).parents[2] / "dev"


def dev(
    *arguments: str, folder: Path, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DEV), *arguments],
        cwd=folder,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_help_is_given_from_everywhere(tmp_path: Path, arguments: list[str]) -> None:
    shown = dev(*arguments, folder=tmp_path)

    assert shown.returncode == 0
    assert "./dev COMMAND" in shown.stdout


def test_an_unknown_command_is_refused_with_the_help(tmp_path: Path) -> None:
    shown = dev("serve", folder=tmp_path)

    assert shown.returncode == 2
    assert "there is no command 'serve'" in shown.stderr
    assert "./dev COMMAND" in shown.stderr


def test_doctor_installs_nothing(tmp_path: Path) -> None:
    shown = dev("doctor", folder=tmp_path)

    assert shown.returncode == 0
    assert "PostgreSQL" in shown.stdout
    assert shown.stderr == ""
