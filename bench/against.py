"""Another revision of the product, served beside ours and measured in turns with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Findings, Round
from bench.server import Served, served
from bench.settings import environment

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / ".dev" / "against"


@dataclass(frozen=True)
class Comparison:
    """A workload at both revisions; ratios of ours to the other's."""

    name: str
    ours: Round
    other: Round

    @property
    def requests_per_cpu_second(self) -> float:
        """How many times the requests the application answers in a second of its CPU time."""
        return self.other.app_cpu / self.ours.app_cpu

    @property
    def p50(self) -> float:
        """Ours as a share of the other's."""
        return self.ours.p50 / self.other.p50


@contextmanager
def serving_revision(revision: str, database_url: str) -> Iterator[Served]:
    """One worker of that commit, from a worktree with an environment of its own.

    It serves on the schema of ours: every migration leaves the release before working.
    """
    command = [str(_checkout(revision) / ".venv" / "bin" / "wxc"), "serve"]
    with served(command, environment(database_url)) as server:
        yield server


def name_at(name: str, revision: str) -> str:
    """The name of a workload at another revision."""
    return f"{name} at {revision}"


def comparisons(found: Findings, revision: str) -> list[Comparison]:
    """The workloads that were measured at both revisions."""
    return [
        Comparison(name, one, found.rounds[name_at(name, revision)])
        for name, one in found.rounds.items()
        if name_at(name, revision) in found.rounds
    ]


def _checkout(revision: str) -> Path:
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}")
    folder = _FOLDER / commit[:12]
    if not folder.exists():
        _git("worktree", "prune")
        _git("worktree", "add", "--detach", str(folder), commit)
    # Any command makes the environment; with the addresses of engines given it starts none.
    subprocess.run([folder / "dev", "exec", "true"], env=os.environ, check=True)
    return folder


def _git(*arguments: str) -> str:
    ran = subprocess.run(
        ["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"git {' '.join(arguments)}: {ran.stderr.strip()}")
    return ran.stdout.strip()
