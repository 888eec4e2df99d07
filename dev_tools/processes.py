"""Child processes that end with this one, and a record of those that survive a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Any, Self

from dev_tools.paths import Account, write_private_file

_POLL_INTERVAL_SECONDS = 0.01
_STOP_TIMEOUT_SECONDS = 10
_URGENT_STOP_TIMEOUT_SECONDS = 0.5


@dataclass(frozen=True)
class Program:
    """A command to start; `stop_signals` are sent in order, each after the stop timeout."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    log: Path | None = None
    stop_signals: tuple[Signals, ...] = (signal.SIGTERM,)
    stop_timeout: float = _STOP_TIMEOUT_SECONDS


@dataclass(frozen=True)
class ProcessIdentity:
    """A process in the record: pid and start time, because pids are reused."""

    name: str
    pid: int
    started: str
    stop_signals: tuple[int, ...]

    def has_ended(self) -> bool:
        """Return whether the process with this pid and start time is gone."""
        return start_time(self.pid) != self.started


@dataclass(frozen=True)
class Child:
    """A started program."""

    program: Program
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its session and group."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Return whether the process has exited."""
        return self.process.poll() is not None

    def wait_until_ready(self, is_ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until the program is ready; False if it exits or the time runs out."""
        wait_until(lambda: self.has_ended() or is_ready(), seconds)
        return not self.has_ended() and is_ready()


class Supervisor:
    """Starts programs, records them on disk and stops them in reverse order.

    Once `urgent` is set, each stop signal gets half a second only.
    """

    def __init__(self, record: Path, urgent: threading.Event | None = None) -> None:
        self._record = record
        self._urgent = urgent or threading.Event()
        self._children: list[Child] = []
        self._facts: dict[str, object] = {}

    def __enter__(self) -> Self:
        stop_orphans(self._record)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._children:
            self.stop(self._children[-1])
        self._record.unlink(missing_ok=True)

    def start(self, program: Program) -> Child:
        """Start a program in its own session, which does not get the terminal's Ctrl-C."""
        output = program.log.open("wb") if program.log else None
        account = program.account
        try:
            process = subprocess.Popen(
                [*parent_death_prefix(program.stop_signals[0]), *program.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(program.env),
                cwd=program.cwd,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        child = Child(program, process)
        self._children.append(child)
        self._write_record()
        return child

    def stop(self, child: Child) -> None:
        """Send the stop signals, then SIGKILL, until the program has exited."""
        program = child.program
        if not child.has_ended():
            wait = partial(wait_until, child.has_ended, program.stop_timeout, self._urgent)
            _signal_until_ended(child.pid, program.stop_signals, wait)
        child.process.wait()
        _kill_group(child.pid)
        self._children.remove(child)
        self._write_record()

    def publish(self, **facts: object) -> None:
        """Add facts to the record, where other commands of this checkout read them."""
        self._facts |= facts
        self._write_record()

    def _write_record(self) -> None:
        identities = [_identity_of(child) for child in self._children]
        record = {"facts": self._facts, "processes": [asdict(each) for each in identities]}
        write_private_file(self._record, json.dumps(record))


def read_facts(record: Path) -> dict[str, Any]:
    """Return the facts that the supervisor of this record has published."""
    facts: dict[str, Any] = _read_record(record).get("facts", {})
    return facts


def stop_orphans(record: Path) -> None:
    """Stop the processes that a killed supervisor left behind, and delete the record."""
    for entry in reversed(_read_record(record).get("processes", [])):
        # Earlier versions recorded the signals under another name.
        stop_signals = tuple(entry.get("stop_signals", (signal.SIGTERM,)))
        orphan = ProcessIdentity(entry["name"], entry["pid"], entry["started"], stop_signals)
        if not orphan.has_ended():
            wait = partial(wait_until, orphan.has_ended, _STOP_TIMEOUT_SECONDS)
            _signal_until_ended(orphan.pid, stop_signals, wait)
            _kill_group(orphan.pid)
    record.unlink(missing_ok=True)


def start_time(pid: int) -> str | None:
    """Return the start time of a process as an opaque text; None if it has ended."""
    if sys.platform != "linux":
        return _start_time_from_ps(pid)
    try:
        # The command name, in parentheses, may contain anything: split after the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    is_zombie = fields[0] == "Z"
    return None if is_zombie else f"{_boot_id()}/{fields[19]}"


def wait_until(
    condition: Callable[[], bool], seconds: float, urgent: threading.Event | None = None
) -> bool:
    """Wait for a condition; False after the given time, or half a second once `urgent` is set."""
    since = time.monotonic()
    while not condition():
        limit = _URGENT_STOP_TIMEOUT_SECONDS if urgent and urgent.is_set() else seconds
        if time.monotonic() - since > limit:
            return False
        time.sleep(_POLL_INTERVAL_SECONDS)
    return True


@cache
def _find_setpriv() -> str | None:
    """Return the path of util-linux' setpriv, if its --pdeathsig works here."""
    tool = shutil.which("setpriv")
    if not tool or sys.platform != "linux":
        return None
    works = subprocess.run([tool, "--pdeathsig", "TERM", "true"], capture_output=True, check=False)
    return tool if works.returncode == 0 else None


def parent_death_prefix(stop_signal: Signals) -> list[str]:
    """Return the command prefix with which the kernel sends the signal when our process dies.

    The kernel watches the *thread* that starts the command: start none from a thread that ends
    early. A `preexec_fn` with `prctl` is not safe in a process with threads (Python 3.12 warns).
    """
    tool = _find_setpriv()
    return [tool, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--"] if tool else []


def service_environment() -> dict[str, str]:
    """Return the environment of the engines, without variables that change their behaviour."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def log_tail(log: Path, lines: int = 15) -> str:
    """Return the path of a log and its last lines."""
    try:
        text = log.read_text(errors="replace").strip()
    except OSError:
        text = ""
    tail = "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
    return f"The end of {log}:\n{tail or '  (empty)'}"


def _signal_until_ended(
    pid: int, stop_signals: Sequence[int], wait_for_end: Callable[[], bool]
) -> None:
    for number in (*stop_signals, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_for_end():
            break


def _kill_group(leader: int) -> None:
    """Kill the workers that have outlived the leader of their process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _identity_of(child: Child) -> ProcessIdentity:
    stop_signals = tuple(int(number) for number in child.program.stop_signals)
    started = start_time(child.pid) or "ended"
    return ProcessIdentity(child.program.name, child.pid, started, stop_signals)


def _read_record(record: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content


@cache
def _boot_id() -> str:
    """Return the id of this boot: pids and clock ticks start again with each boot."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _start_time_from_ps(pid: int) -> str | None:
    ran = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    return ran.stdout.strip() or None
