"""`./dev test`, `./dev bench` and `./dev exec`: somebody else's command, with engines around it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dev_tools import client, environment
from dev_tools.console import StackError, note
from dev_tools.engines import engines, kept_engines
from dev_tools.paths import Checkout, locked, state_directory
from dev_tools.processes import Supervisor, facts_in, tied_to_us
from dev_tools.serving import DEV_LOCK, DEV_RECORD, development

_WHOLE_SUITE = ("-n", "2", "--cov")
_USERS_LOCK = "users.lock"
_PATIENCE = 120.0


def test(arguments: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run pytest on throw-away engines; without arguments all of it, with coverage."""
    with engines(environ) as lent:
        settings = {
            **environment.with_commands(_with_client(checkout, environ), checkout.bin),
            "WXC_TEST_DATABASE_URL": lent.database_url,
            "WXC_TEST_REDIS_URL": lent.redis_url,
        }
        return _in_foreground(
            [sys.executable, "-m", "pytest", *(arguments or _WHOLE_SUITE)], settings, checkout.root
        )


def _with_client(checkout: Checkout, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with what the client's tests need; where that cannot be, they say so."""
    if not client.package_of(checkout).exists():
        return environ
    try:
        return client.prepare(checkout, environ)
    except StackError as error:
        note(f"dev: the tests of the client cannot run: {error}")
        return environ


def bench(arguments: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run one of the measurements in `bench/` on engines that are kept for them."""
    if not arguments:
        raise StackError("Say what to measure; the names are in bench/README.md.")
    with kept_engines(environ) as lent:
        settings = {
            **environment.with_commands(environ, checkout.bin),
            "DATABASE_URL": lent.database_url,
            "REDIS_URL": lent.redis_url,
        }
        command = [sys.executable, "-m", "bench", *arguments]
        return _in_foreground(command, settings, checkout.root)


def execute(command: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run a command with the engines of the running server, or with engines of its own."""
    chosen = environment.chosen_settings(checkout.root, environ)
    settings = environment.with_commands(chosen, checkout.bin)
    if not shutil.which(command[0], path=settings["PATH"]):
        raise StackError(f"There is no command {command[0]}.")
    with _development(chosen, state_directory(checkout.root, environ)) as offered:
        return _in_foreground(command, environment.with_defaults(settings, offered), Path.cwd())


@contextmanager
def _development(chosen: Mapping[str, str], state: Path) -> Iterator[Mapping[str, str]]:
    """Lend the settings of the engines that are on; start them when none are."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with locked(state / DEV_LOCK, wait=False) as is_first:
            if is_first:
                with _own_development(chosen, state) as offered:
                    yield offered
                return
        with locked(state / _USERS_LOCK, shared=True):
            if borrowed := facts_in(state / DEV_RECORD).get("offered"):
                yield borrowed
                return
        time.sleep(0.1)  # the other one is still starting, or has just ended
    raise StackError("Another ./dev of this checkout neither starts its engines nor ends.")


@contextmanager
def _own_development(chosen: Mapping[str, str], state: Path) -> Iterator[Mapping[str, str]]:
    with Supervisor(state / DEV_RECORD) as supervisor:
        with development(chosen, state, supervisor) as offered:
            yield offered
        with locked(state / _USERS_LOCK):  # others that run on these engines
            pass


def _in_foreground(command: Sequence[str], settings: Mapping[str, str], folder: Path) -> int:
    """Run a command that has the terminal to itself, Ctrl-C included; return its exit code."""
    with _waiting_for_it() as tell:
        process = subprocess.Popen(
            [*tied_to_us(signal.SIGTERM), *command], env=dict(settings), cwd=folder
        )
        tell(process)
        code = process.wait()
    return 128 - code if code < 0 else code


@contextmanager
def _waiting_for_it() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Outlive Ctrl-C, which the terminal sends to the command as well, and pass SIGTERM on."""
    processes: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in processes:
            os.kill(process.pid, number)

    def ignore(number: int, frame: FrameType | None) -> None:
        """Do nothing; unlike SIG_IGN this is not inherited."""

    handlers = {signal.SIGINT: ignore, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield processes.append
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
