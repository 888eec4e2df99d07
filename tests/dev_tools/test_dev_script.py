import subprocess
from pathlib import Path

import pytest

DEV = Path(__file__).parents[2] / "dev"


def dev(*arguments: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DEV), *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_help_works_in_any_folder(tmp_path: Path, arguments: list[str]) -> None:
    shown = dev(*arguments, folder=tmp_path)

    assert shown.returncode == 0
    assert "./dev COMMAND" in shown.stdout


def test_an_unknown_command_is_refused_with_the_help(tmp_path: Path) -> None:
    shown = dev("serve", folder=tmp_path)

    assert shown.returncode == 2
    assert "there is no command 'serve'" in shown.stderr
    assert "./dev COMMAND" in shown.stderr


def test_dev_uses_the_tools_of_its_own_checkout_in_any_folder(tmp_path: Path) -> None:
    decoy = tmp_path / "dev_tools"
    decoy.mkdir()
    (decoy / "__init__.py").write_text("raise SystemExit('the tools of another checkout')")
    show = 'echo "${PYTHONPATH-unset}"; pwd -P'
    engines = {"DATABASE_URL": "mine", "REDIS_URL": "mine", "WXC_DEV_DIR": str(tmp_path / "state")}

    doctor = dev("doctor", folder=tmp_path)
    command = dev("exec", "sh", "-c", show, folder=tmp_path, **engines)

    assert (doctor.returncode, doctor.stderr) == (0, "")
    assert command.stdout == f"unset\n{tmp_path.resolve()}\n", command.stderr


def test_doctor_installs_nothing(tmp_path: Path) -> None:
    shown = dev("doctor", folder=tmp_path)

    assert shown.returncode == 0
    assert "PostgreSQL" in shown.stdout
    assert shown.stderr == ""
