"""`./dev check`: everything that has to be in order, told apart by name."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from dev_tools import client, environment, locks
from dev_tools.console import say
from dev_tools.paths import Checkout

Command = Sequence[str]


@dataclass(frozen=True)
class Gate:
    """Commands that must succeed, one after the other."""

    name: str
    commands: Sequence[Command]


@dataclass(frozen=True)
class Verdict:
    """How a gate went; the output is worth reading when it failed."""

    name: str
    passed: bool
    seconds: float
    output: str


GATES = (
    Gate("types", [["mypy"]]),
    Gate("client", [client.VERIFY]),
    Gate("locks", [locks.VERIFY]),
    Gate("lint", [["ruff", "check", "."]]),
    Gate("format", [["ruff", "format", "--check", "."]]),
    Gate("imports", [["lint-imports"]]),
    Gate("openapi", [["wxc", "openapi", "--check"]]),
    Gate("shell", [["sh", "-n", "dev"], ["sh", "-n", "deploy/aws/deploy"]]),
    Gate("cloud", [["cfn-lint", "deploy/aws/wxc.yaml"]]),
)


def check(checkout: Checkout, environ: Mapping[str, str], gates: Sequence[Gate] = GATES) -> int:
    """Pass all gates, two at a time, the longest first; complain about all that stay shut."""
    settings = environment.with_commands(environ, checkout.bin)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_pass, gate, checkout.root, settings) for gate in gates]
        try:
            verdicts = [_show(each.result()) for each in as_completed(running)]
        finally:
            pool.shutdown(cancel_futures=True)
    failed = [verdict.name for verdict in verdicts if not verdict.passed]
    say(f"Failed: {', '.join(failed)}" if failed else "All gates passed.")
    return 1 if failed else 0


def _pass(gate: Gate, root: Path, settings: Mapping[str, str]) -> Verdict:
    since = time.monotonic()
    output = ""
    passed = True
    for command in gate.commands:
        passed, shown = _succeeds(command, root, settings)
        output += f"$ {' '.join(command)}\n{shown}"
        if not passed:
            break
    return Verdict(gate.name, passed, time.monotonic() - since, output)


def _succeeds(command: Command, root: Path, settings: Mapping[str, str]) -> tuple[bool, str]:
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            env=dict(settings),
            cwd=root,
        )
    except OSError as error:
        return False, f"{error}\n"
    return ran.returncode == 0, ran.stdout.decode(errors="replace")


def _show(verdict: Verdict) -> Verdict:
    say(f"{'✓' if verdict.passed else '✗'} {verdict.name:<12} {verdict.seconds:5.1f} s")
    if not verdict.passed:
        say("\n".join(f"    {line}" for line in verdict.output.splitlines()))
    return verdict
