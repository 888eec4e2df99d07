import json
import os
import platform
import signal
import threading
import time
from pathlib import Path

import pytest

from dev_tools import checks, commands, locks, redis
from dev_tools.__main__ import main
from dev_tools.checks import Check
from dev_tools.paths import Checkout, file_lock, write_private_file

UV = """#!/bin/sh
[ "$1" != --version ] || exec echo uv 0.0.0
for last; do :; done
[ ! -e "{root}/unreachable" ] || {{ echo 'dns error' >&2; exit 2; }}
cat "{root}/pyproject.toml" >"$last"
"""


@pytest.fixture
def environ_with_urls(environ: dict[str, str]) -> dict[str, str]:
    """An environment with the URLs of existing engines."""
    return {**environ, "DATABASE_URL": "my database", "REDIS_URL": "my redis"}


@pytest.fixture
def locked_checkout(checkout: Checkout) -> Checkout:
    checkout.uv.parent.mkdir(parents=True)
    checkout.uv.write_text(UV.format(root=checkout.root))
    checkout.uv.chmod(0o755)
    for name in ("pyproject.toml", *locks.ALL):
        (checkout.root / name).write_text("same")
    return checkout


def test_pytest_gets_engines_and_its_arguments(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout.root / "test_it.py").write_text(
        "import os\n"
        "def test_urls():\n"
        "    assert os.environ['WXC_TEST_DATABASE_URL'] == 'my database'\n"
        "    assert os.environ['WXC_TEST_REDIS_URL'] == 'my redis'\n"
        "def test_that_fails():\n"
        "    assert False\n"
    )
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "test_it.py"]

    assert main(["test", *arguments, "-k", "urls"], environ_with_urls, checkout) == 0
    assert main(["test", *arguments], environ_with_urls, checkout) == 1
    assert "1 passed, 1 deselected" in capfd.readouterr().out


def test_a_bench_gets_engines_and_its_arguments(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout.root / "bench").mkdir()
    (checkout.root / "bench" / "__main__.py").write_text(
        "import os, sys\n"
        "print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], *sys.argv[1:])\n"
        "sys.exit(3)\n"
    )

    assert main(["bench", "login", "--pairs", "7"], environ_with_urls, checkout) == 3
    assert capfd.readouterr().out == "my database my redis login --pairs 7\n"


def test_bench_requires_a_name(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench"], environ_with_urls, checkout) == 1
    assert "bench/README.md" in capfd.readouterr().err


def test_exec_passes_the_settings_and_returns_the_exit_code(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    script = 'echo "$DATABASE_URL, $ENVIRONMENT, ${PATH%%:*}"; exit 7'

    assert main(["exec", "--", "sh", "-c", script], environ_with_urls, checkout) == 7
    assert capfd.readouterr().out == f"my database, development, {checkout.bin}\n"


def test_exec_uses_the_running_engines(
    checkout: Checkout, environ: dict[str, str], state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with file_lock(state / "dev.lock"):
        facts = {"defaults": {"DATABASE_URL": "theirs"}}
        write_private_file(state / "dev.json", json.dumps({"facts": facts}))
        assert main(["exec", "sh", "-c", "echo $DATABASE_URL"], environ, checkout) == 0

    assert capfd.readouterr().out == "theirs\n"
    (state / "dev.json").unlink()


def test_exec_waits_for_engines_that_are_being_started(
    checkout: Checkout, environ_with_urls: dict[str, str], state: Path
) -> None:
    def hold() -> None:
        with file_lock(state / "dev.lock"):
            taken.set()
            time.sleep(0.3)

    taken = threading.Event()
    other = threading.Thread(target=hold)
    other.start()
    taken.wait()

    assert main(["exec", "true"], environ_with_urls, checkout) == 0

    other.join()


def test_waiting_for_engines_times_out(
    checkout: Checkout,
    environ_with_urls: dict[str, str],
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(commands, "_ENGINES_TIMEOUT_SECONDS", 0.1)

    with file_lock(state / "dev.lock"):
        assert main(["exec", "true"], environ_with_urls, checkout) == 1

    assert "neither starts its engines nor ends" in capfd.readouterr().err


def test_a_missing_command_is_named(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["exec", "no-such-command"], environ_with_urls, checkout) == 1
    assert main(["exec"], environ_with_urls, checkout) == 1

    shown = capfd.readouterr().err
    assert "There is no command no-such-command." in shown
    assert "Name a command" in shown


def test_exec_forwards_sigterm_and_leaves_ctrl_c_to_the_command(
    checkout: Checkout, environ_with_urls: dict[str, str]
) -> None:
    def interrupt() -> None:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()

    assert main(["exec", "sleep", "60"], environ_with_urls, checkout) == 128 + signal.SIGTERM


def test_every_check_runs_and_only_failures_show_their_output(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    some = (
        Check("good", [["echo", "quiet"], ["true"]]),
        Check("bad", [["sh", "-c", "echo loud; exit 1"], ["echo", "not reached"]]),
        Check("absent", [["no-such-command"]]),
    )

    assert checks.run_checks(checkout, environ_with_urls, some) == 1

    shown = capfd.readouterr().out
    assert "✓ good" in shown
    assert "quiet" not in shown
    assert "✗ bad" in shown
    assert "    loud" in shown
    assert "not reached" not in shown
    assert "✗ absent" in shown


def test_check_succeeds_if_all_checks_pass(
    checkout: Checkout,
    environ_with_urls: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks.run_checks, "__defaults__", ((Check("good", [["true"]]),),))

    assert main(["check"], environ_with_urls, checkout) == 0
    assert "All checks passed." in capfd.readouterr().out


def test_locks_are_written_and_compared(
    locked_checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (locked_checkout.root / "pyproject.toml").write_text("changed")

    assert main(["verify-locks"], environ, locked_checkout) == 1
    assert "Run ./dev lock" in capfd.readouterr().err

    assert main(["lock", "--upgrade"], environ, locked_checkout) == 0
    assert main(["verify-locks"], environ, locked_checkout) == 0


def test_verifying_the_locks_fails_if_the_index_is_unreachable(
    locked_checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (locked_checkout.root / "unreachable").touch()

    assert main(["verify-locks"], environ, locked_checkout) == 1

    shown = capfd.readouterr().err
    assert "Is the package index reachable?" in shown
    assert "dns error" in shown


def test_doctor_shows_programs_and_settings_without_secrets(
    locked_checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    environ |= {"SECRET_KEY": "very secret", "PORT": "8123"}

    assert main(["doctor", "--missing", "redis-server"], environ, locked_checkout) == 0

    shown = capfd.readouterr().out
    assert "PostGIS" in shown
    assert "Running      nothing" in shown
    assert "PORT=8123, SECRET_KEY\n" in shown
    assert "very secret" not in shown
    assert "redis-server (./dev run installs it)" in shown


def test_doctor_shows_configured_missing_and_running_engines(
    checkout: Checkout,
    environ_with_urls: dict[str, str],
    state: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with file_lock(state / "dev.lock"):
        assert main(["doctor"], environ_with_urls, checkout) == 0
    assert "from DATABASE_URL" in (shown := capfd.readouterr().out)
    assert "Running      the engines" in shown

    monkeypatch.setattr(redis, "find_program", lambda: None)
    monkeypatch.setattr(platform, "freedesktop_os_release", _no_such_file)
    assert main(["doctor"], {"WXC_DEV_DIR": str(tmp_path / "new")}, checkout) == 0
    assert "(not created yet)" in capfd.readouterr().out
    assert not (tmp_path / "new").exists()


def test_a_system_error_is_printed_as_one_line(
    checkout: Checkout, environ_with_urls: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    environ_with_urls["WXC_DEV_DIR"] = "/proc/nowhere"

    assert main(["exec", "true"], environ_with_urls, checkout) == 1

    assert capfd.readouterr().err.startswith("dev: ")


def test_ctrl_c_prints_no_traceback(
    checkout: Checkout, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(locks, "verify", interrupted)

    assert main(["verify-locks"], environ, checkout) == 130


@pytest.mark.parametrize("arguments", [["run", "--port", "70000"], ["run", "--port", "x"]])
def test_an_invalid_port_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments, {})


def _no_such_file() -> None:
    raise FileNotFoundError
