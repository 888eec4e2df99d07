"""Starting processes so that none of them outlives us, and knowing those that did."""

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

from dev_tools.paths import Account, write_private

_POLL = 0.01
_IN_A_HURRY = 0.5


@dataclass(frozen=True)
class Program:
    """What to start, as whom, and with which signals to ask it to end, ever more firmly."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    log: Path | None = None
    farewells: tuple[Signals, ...] = (signal.SIGTERM,)
    patience: float = 10


@dataclass(frozen=True)
class Identity:
    """A started process as it is remembered on disk: a pid alone may be somebody else's by now."""

    name: str
    pid: int
    started: str
    farewells: tuple[int, ...]

    def has_ended(self) -> bool:
        """Tell whether this very process is gone."""
        return started_at(self.pid) != self.started


@dataclass(frozen=True)
class Child:
    """A program that we have started."""

    program: Program
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Tell whether the process is gone."""
        return self.process.poll() is not None

    def comes_up(self, is_ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until the program is ready; False when it ends, or takes too long."""
        wait_until(lambda: self.has_ended() or is_ready(), seconds)
        return not self.has_ended() and is_ready()


class Supervisor:
    """Starts programs, remembers them on disk, and stops them in reverse order."""

    def __init__(self, record: Path, hurry: threading.Event | None = None) -> None:
        self._record = record
        self._hurry = hurry or threading.Event()
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
        """Start a program in a session of its own, where a Ctrl-C at the terminal misses it."""
        output = program.log.open("wb") if program.log else None
        account = program.account
        try:
            process = subprocess.Popen(
                [*tied_to_us(program.farewells[0]), *program.command],
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
        self._save()
        return child

    def stop(self, child: Child) -> None:
        """Ask the program to end, then insist."""
        program = child.program
        if not child.has_ended():
            wait = partial(wait_until, child.has_ended, program.patience, self._hurry)
            _insist(child.pid, program.farewells, wait)
        child.process.wait()
        _end_group(child.pid)
        self._children.remove(child)
        self._save()

    def publish(self, **facts: object) -> None:
        """Let other commands of this checkout know something."""
        self._facts |= facts
        self._save()

    def _save(self) -> None:
        identities = [_identify(child) for child in self._children]
        record = {"facts": self._facts, "processes": [asdict(each) for each in identities]}
        write_private(self._record, json.dumps(record))


def facts_in(record: Path) -> dict[str, Any]:
    """Return what the supervisor that writes this record has published."""
    facts: dict[str, Any] = _read(record).get("facts", {})
    return facts


def stop_orphans(record: Path) -> None:
    """Stop the processes that a killed supervisor has left behind."""
    for entry in reversed(_read(record).get("processes", [])):
        orphan = Identity(**entry)
        if not orphan.has_ended():
            _insist(orphan.pid, orphan.farewells, partial(wait_until, orphan.has_ended, 10))
            _end_group(orphan.pid)
    record.unlink(missing_ok=True)


def started_at(pid: int) -> str | None:
    """Return when a living process started, in whatever way the system tells it."""
    if sys.platform != "linux":
        return _started_according_to_ps(pid)
    try:
        # The name of the command, in parentheses, may hold anything: count from its end.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    is_zombie = fields[0] == "Z"
    return None if is_zombie else f"{_boot()}/{fields[19]}"


def wait_until(
    condition: Callable[[], bool], seconds: float, hurry: threading.Event | None = None
) -> bool:
    """Wait for a condition; False when time ran out, which is soon when somebody is in a hurry."""
    since = time.monotonic()
    while not condition():
        limit = _IN_A_HURRY if hurry and hurry.is_set() else seconds
        if time.monotonic() - since > limit:
            return False
        time.sleep(_POLL)
    return True


@cache
def _setpriv() -> str | None:
    """Return the tool of util-linux that can tie a process to its parent, where there is one."""
    tool = shutil.which("setpriv")
    if not tool or sys.platform != "linux":
        return None
    works = subprocess.run([tool, "--pdeathsig", "TERM", "true"], capture_output=True, check=False)
    return tool if works.returncode == 0 else None


def tied_to_us(farewell: Signals) -> list[str]:
    """Return the prefix that lets the kernel end a command when we are killed.

    The parent is the *thread* that starts it, so start nothing from threads that end early. The
    same could be done by a `preexec_fn`, which is not safe beside threads (Python 3.12 warns).
    """
    tool = _setpriv()
    return [tool, "--pdeathsig", farewell.name.removeprefix("SIG"), "--"] if tool else []


def environment_for_services() -> dict[str, str]:
    """Return what a service may know of our environment: nothing that changes what it does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def end_of(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, and where it is."""
    try:
        text = log.read_text(errors="replace").strip()
    except OSError:
        text = ""
    tail = "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
    return f"The end of {log}:\n{tail or '  (nothing)'}"


def _insist(pid: int, farewells: Sequence[int], wait_for_end: Callable[[], bool]) -> None:
    for farewell in (*farewells, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, farewell)
        if wait_for_end():
            break


def _end_group(leader: int) -> None:
    """End the workers that did not go with their leader, which has just ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _identify(child: Child) -> Identity:
    farewells = tuple(int(each) for each in child.program.farewells)
    return Identity(child.program.name, child.pid, started_at(child.pid) or "ended", farewells)


def _read(record: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content


@cache
def _boot() -> str:
    """Return what tells this start of the machine from the last: pids and ticks begin anew."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _started_according_to_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C"},
    )
    return shown.stdout.strip() or None
