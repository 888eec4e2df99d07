"""Processes: their descendants, CPU time and processor affinity, read from /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MICROSECONDS_PER_TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Steal:
    """Counters of the time that the host of a virtual machine has withheld, in ticks."""

    stolen: int
    total: int

    @classmethod
    def sample(cls) -> "Steal":
        # user nice system idle iowait irq softirq steal …: proc_stat(5)
        ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return cls(ticks[7], sum(ticks))

    def percent(self) -> float:
        """The share of the time of all processors since the sample."""
        now = Steal.sample()
        return 100 * (now.stolen - self.stolen) / max(1, now.total - self.total)


def process_tree(pid: int) -> set[int]:
    """The process and all its descendants."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat_fields(stat):
            children.setdefault(int(fields[1]), set()).add(int(stat.parent.name))
    tree, generation = set[int](), {pid}
    while generation:
        tree |= generation
        generation = {child for parent in generation for child in children.get(parent, ())}
    return tree


def cpu_microseconds(pids: Iterable[int]) -> float:
    """The CPU time of these processes and their terminated children."""
    spent = 0
    for pid in pids:
        if fields := _stat_fields(Path(f"/proc/{pid}/stat")):
            spent += sum(int(field) for field in fields[11:15])  # utime stime cutime cstime
    return spent * _MICROSECONDS_PER_TICK


@cache
def processors() -> tuple[int, ...]:
    """The processors available to this process; cached, since `pin` reduces them."""
    return tuple(sorted(os.sched_getaffinity(0)))


def pin(pids: Iterable[int], cores: Iterable[int]) -> None:
    """Run the processes, all their threads and future children on these processors."""
    processor_set = set(cores)
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("[0-9]*"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), processor_set)


def parent_pid(pid: int) -> int:
    fields = _stat_fields(Path(f"/proc/{pid}/stat"))
    return int(fields[1])


def _stat_fields(stat: Path) -> list[str]:
    """The fields after the name, which may contain spaces; empty if the process has ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
