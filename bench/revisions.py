"""Another revision of the product, measured alternately with this checkout."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Findings, Round
from bench.server import Server, start_server
from bench.settings import environment

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / ".dev" / "against"


@dataclass(frozen=True)
class Comparison:
    """A workload at both revisions; the ratios are those of this checkout to the other one."""

    name: str
    this: Round
    other: Round

    @property
    def requests_per_cpu_second(self) -> float:
        """The ratio of requests per second of application CPU time."""
        return self.other.app_cpu / self.this.app_cpu

    @property
    def p50(self) -> float:
        """The ratio of the latencies."""
        return self.this.p50 / self.other.p50


@contextmanager
def serving_revision(revision: str, database_url: str) -> Iterator[Server]:
    """One worker of that commit, from a worktree with its own virtual environment.

    It runs on the schema of this checkout: every migration keeps the previous release working.
    """
    command = [str(_check_out(revision) / ".venv" / "bin" / "wxc"), "serve"]
    with start_server(command, environment(database_url)) as server:
        yield server


def name_at(name: str, revision: str) -> str:
    return f"{name} at {revision}"


def comparisons(findings: Findings, revision: str) -> list[Comparison]:
    """The workloads that were measured at both revisions."""
    return [
        Comparison(name, this, findings.rounds[name_at(name, revision)])
        for name, this in findings.rounds.items()
        if name_at(name, revision) in findings.rounds
    ]


def _check_out(revision: str) -> Path:
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}")
    folder = _FOLDER / commit[:12]
    if not folder.exists():
        _git("worktree", "prune")
        _git("worktree", "add", "--detach", str(folder), commit)
    # `dev exec` creates the environment; it starts no engines, since their URLs are set.
    subprocess.run([folder / "dev", "exec", "true"], env=os.environ, check=True)
    return folder


def _git(*arguments: str) -> str:
    process = subprocess.run(
        ["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=False
    )
    if process.returncode:
        sys.exit(f"git {' '.join(arguments)}: {process.stderr.strip()}")
    return process.stdout.strip()
