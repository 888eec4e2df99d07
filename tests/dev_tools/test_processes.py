import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from dev_tools import processes
from dev_tools.paths import this_checkout
from dev_tools.processes import ProcessIdentity, Program, Supervisor

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('!', flush=True); "


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "processes.json"


def sleeper(tmp_path: Path, code: str = "import time; ", stop_timeout: float = 10) -> Program:
    return Program(
        name="sleeper",
        command=[sys.executable, "-c", f"{code}time.sleep(60)"],
        env={},
        cwd=tmp_path,
        log=tmp_path / "log",
        stop_timeout=stop_timeout,
    )


def write_record(record: Path, *identities: ProcessIdentity) -> None:
    record.write_text(json.dumps({"facts": {}, "processes": [asdict(each) for each in identities]}))


def test_a_supervisor_stops_its_programs(record: Path, tmp_path: Path) -> None:
    with Supervisor(record) as supervisor:
        child = supervisor.start(sleeper(tmp_path))
        supervisor.publish(url="http://localhost")
        content = json.loads(record.read_text())

    assert [each["pid"] for each in content["processes"]] == [child.pid]
    assert content["facts"] == {"url": "http://localhost"}
    assert child.has_ended()
    assert not record.exists()


def test_a_process_that_ignores_sigterm_is_killed(record: Path, tmp_path: Path) -> None:
    with Supervisor(record) as supervisor:
        child = supervisor.start(sleeper(tmp_path, STUBBORN, stop_timeout=0.1))
        assert processes.wait_until(lambda: (tmp_path / "log").read_text() != "", 10)

    assert child.process.returncode == -signal.SIGKILL


def test_an_urgent_shutdown_shortens_the_stop_timeout(record: Path, tmp_path: Path) -> None:
    urgent = threading.Event()
    since = time.monotonic()

    with Supervisor(record, urgent) as supervisor:
        supervisor.start(sleeper(tmp_path, STUBBORN, stop_timeout=60))
        assert processes.wait_until(lambda: (tmp_path / "log").read_text() != "", 10)
        urgent.set()

    assert time.monotonic() - since < 10


def test_a_program_that_ends_is_not_ready(record: Path, tmp_path: Path) -> None:
    with Supervisor(record) as supervisor:
        child = supervisor.start(sleeper(tmp_path, "raise SystemExit; "))

        assert not child.wait_until_ready(lambda: False, seconds=10)


def test_an_orphan_is_stopped_at_the_next_start(record: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as orphan:
        started = processes.start_time(orphan.pid)
        assert started
        write_record(record, ProcessIdentity("sleep", orphan.pid, started, (signal.SIGTERM,)))

        with Supervisor(record):
            assert orphan.wait(10) == -signal.SIGTERM


def test_a_process_with_the_reused_pid_of_an_orphan_keeps_running(record: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        write_record(record, ProcessIdentity("sleep", stranger.pid, "long ago", (signal.SIGTERM,)))

        processes.stop_orphans(record)

        assert stranger.poll() is None
        assert not record.exists()
        stranger.kill()


def test_an_orphan_recorded_by_an_earlier_version_is_stopped(record: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as orphan:
        started = processes.start_time(orphan.pid)
        entry = {"name": "sleep", "pid": orphan.pid, "started": started, "old": [2]}
        record.write_text(json.dumps({"processes": [entry]}))

        with Supervisor(record):
            assert orphan.wait(10) == -signal.SIGTERM


def test_a_damaged_record_is_empty(record: Path) -> None:
    record.write_text("{")

    assert processes.read_facts(record) == {}


def test_an_ended_process_has_no_start_time() -> None:
    ended = subprocess.Popen(["true"])
    pid = ended.pid
    assert processes.wait_until(lambda: processes.start_time(pid) is None, 10)  # a zombie

    ended.wait()

    assert processes.start_time(pid) is None


def test_without_proc_the_start_time_comes_from_ps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "ps"
    tool.write_text("#!/bin/sh\necho 'Sun Nov 22 14:00:00 2026'\n")
    tool.chmod(0o755)
    monkeypatch.setattr(os, "defpath", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")

    assert processes.start_time(os.getpid()) == "Sun Nov 22 14:00:00 2026"


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux only")
def test_a_command_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import subprocess, signal, time; from dev_tools.processes import parent_death_prefix; "
        "child = subprocess.Popen([*parent_death_prefix(signal.SIGTERM), 'sleep', '60']); "
        "time.sleep(0.5); print(child.pid, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=this_checkout().root, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()

    assert processes.wait_until(lambda: processes.start_time(pid) is None, 10)


def test_without_setpriv_there_is_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    processes._find_setpriv.cache_clear()

    assert processes.parent_death_prefix(signal.SIGTERM) == []

    processes._find_setpriv.cache_clear()


def test_the_tail_of_a_log_names_the_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert "(empty)" in processes.log_tail(log)

    log.write_text("\n".join(str(number) for number in range(100)))

    assert processes.log_tail(log, lines=2) == f"The end of {log}:\n  98\n  99"
