"""The static checks of `./dev check`."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from dev_tools import client, environment, locks
from dev_tools.console import print_out
from dev_tools.paths import Checkout

Command = Sequence[str]


@dataclass(frozen=True)
class Check:
    """Commands that run in order until one fails."""

    name: str
    commands: Sequence[Command]


@dataclass(frozen=True)
class CheckResult:
    """The outcome of a check; the output is printed only if it failed."""

    name: str
    has_passed: bool
    seconds: float
    output: str


# The slowest first, because two run at a time.
CHECKS = (
    Check("types", [["mypy"]]),
    Check("client", [client.VERIFY]),
    Check("locks", [locks.VERIFY]),
    Check("lint", [["ruff", "check", "."]]),
    Check("format", [["ruff", "format", "--check", "."]]),
    Check("imports", [["lint-imports"]]),
    Check("openapi", [["wxc", "openapi", "--check"]]),
    Check("shell", [["sh", "-n", "dev"], ["sh", "-n", "deploy/aws/deploy"]]),
    Check("cloud", [["cfn-lint", "deploy/aws/wxc.yaml"]]),
)


def run_checks(
    checkout: Checkout, environ: Mapping[str, str], checks: Sequence[Check] = CHECKS
) -> int:
    """Run every check, two at a time, and print the results; return 1 if any failed."""
    settings = environment.with_venv_on_path(environ, checkout.bin)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(_run_check, check, checkout.root, settings) for check in checks]
        try:
            results = [_print_result(future.result()) for future in as_completed(running)]
        finally:
            pool.shutdown(cancel_futures=True)
    failed = [result.name for result in results if not result.has_passed]
    print_out(f"Failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def _run_check(check: Check, root: Path, settings: Mapping[str, str]) -> CheckResult:
    since = time.monotonic()
    output = ""
    has_passed = True
    for command in check.commands:
        has_passed, printed = _run_command(command, root, settings)
        output += f"$ {' '.join(command)}\n{printed}"
        if not has_passed:
            break
    return CheckResult(check.name, has_passed, time.monotonic() - since, output)


def _run_command(command: Command, root: Path, settings: Mapping[str, str]) -> tuple[bool, str]:
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


def _print_result(result: CheckResult) -> CheckResult:
    print_out(f"{'✓' if result.has_passed else '✗'} {result.name:<12} {result.seconds:5.1f} s")
    if not result.has_passed:
        print_out("\n".join(f"    {line}" for line in result.output.splitlines()))
    return result
