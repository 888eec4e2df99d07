"""What the kernel says of processes: who they are, what they cost, and where they run."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")  # microseconds


@dataclass(frozen=True)
class Steal:
    """What the host of a virtual machine has kept for itself since `begin`."""

    stolen: int
    total: int

    @classmethod
    def begin(cls) -> "Steal":
        """The counters now."""
        # user nice system idle iowait irq softirq steal …: proc_stat(5)
        ticks = [int(one) for one in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return cls(ticks[7], sum(ticks))

    def percent(self) -> float:
        """The share of all processors' time since then."""
        now = Steal.begin()
        return 100 * (now.stolen - self.stolen) / max(1, now.total - self.total)


def family_of(pid: int) -> set[int]:
    """The process and all that descend from it."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if fields := _fields(stat):
            children.setdefault(int(fields[1]), set()).add(int(stat.parent.name))
    family, found = set[int](), {pid}
    while found:
        family |= found
        found = {child for one in found for child in children.get(one, ())}
    return family


def cpu_of(pids: Iterable[int]) -> float:
    """Microseconds that these and their ended children have spent computing."""
    spent = 0
    for pid in pids:
        if fields := _fields(Path(f"/proc/{pid}/stat")):
            spent += sum(int(one) for one in fields[11:15])  # utime stime cutime cstime
    return spent * _TICK


@cache
def processors() -> tuple[int, ...]:
    """The processors that we were given; to be asked before `pin` takes some of them away."""
    return tuple(sorted(os.sched_getaffinity(0)))


def pin(pids: Iterable[int], cores: Iterable[int]) -> None:
    """Have the processes, all their threads and what they start run on these processors."""
    chosen = set(cores)
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("[0-9]*"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), chosen)


def parent_of(pid: int) -> int:
    """The process that has started it."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return int(fields[1])


def _fields(stat: Path) -> list[str]:
    """What follows the name, which may hold spaces: state, parent, …; nothing of who is gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
