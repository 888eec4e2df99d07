"""`./dev test`, `./dev bench` and `./dev exec`: run a command with engines."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from dev_tools import client, environment
from dev_tools.console import DevError, print_err
from dev_tools.engines import bench_engines, temporary_engines
from dev_tools.paths import Checkout, ensure_state_directory, file_lock
from dev_tools.processes import Supervisor, parent_death_prefix, read_facts
from dev_tools.serving import DEV_LOCK, DEV_RECORD, development_services

_MIN_WORKERS, _MAX_WORKERS = 2, 4
_PLAIN_PROGRESS = ("-p", "tests.support.progress", "-o", "console_output_style=classic")
_USERS_LOCK = "users.lock"
_ENGINES_TIMEOUT_SECONDS = 120.0
_POLL_INTERVAL_SECONDS = 0.1


def test(arguments: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run pytest with temporary engines; without arguments the whole suite, with coverage."""
    if arguments:
        return _run_pytest(arguments, checkout, environ)
    workers = min(max(available_cpus(), _MIN_WORKERS), _MAX_WORKERS)
    print_err(
        f"Running the whole test suite with {workers} workers. This takes about 13 minutes on two "
        "cores, less on more. ./dev test PATH runs a part of it."
    )
    progress = () if sys.stdout.isatty() else _PLAIN_PROGRESS
    since = time.monotonic()
    code = _run_pytest(["-n", str(workers), "--cov", *progress], checkout, environ)
    minutes, seconds = divmod(round(time.monotonic() - since), 60)
    print_err(f"The tests {'failed' if code else 'passed'} after {minutes} min {seconds} s.")
    return code


def available_cpus() -> int:
    """The number of processors that this process may use."""
    is_linux = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if is_linux else os.cpu_count() or 1


def _run_pytest(arguments: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    with temporary_engines(environ) as engines:
        client_settings = _with_client_tools(checkout, environ)
        settings = {
            **environment.with_venv_on_path(client_settings, checkout.bin),
            "WXC_TEST_DATABASE_URL": engines.database_url,
            "WXC_TEST_REDIS_URL": engines.redis_url,
        }
        pytest = [sys.executable, "-m", "pytest", *arguments]
        return _run_in_foreground(pytest, settings, checkout.root)


def _with_client_tools(checkout: Checkout, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment for the client's tests; they are skipped if it cannot be set up."""
    if not client.package_folder(checkout).exists():
        return environ
    try:
        return client.install_dependencies(checkout, environ)
    except DevError as error:
        print_err(f"dev: the tests of the client cannot run: {error}")
        return environ


def bench(arguments: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run a measurement of `bench/`; its engines keep their data between runs."""
    if not arguments:
        raise DevError("Name a measurement; the names are in bench/README.md.")
    with bench_engines(environ) as engines:
        settings = {
            **environment.with_venv_on_path(environ, checkout.bin),
            "DATABASE_URL": engines.database_url,
            "REDIS_URL": engines.redis_url,
        }
        command = [sys.executable, "-m", "bench", *arguments]
        return _run_in_foreground(command, settings, checkout.root)


def execute(command: Sequence[str], checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Run a command with the engines of the running server, else with the development engines."""
    own_settings = environment.user_settings(checkout.root, environ)
    settings = environment.with_venv_on_path(own_settings, checkout.bin)
    if not shutil.which(command[0], path=settings["PATH"]):
        raise DevError(f"There is no command {command[0]}.")
    state = ensure_state_directory(checkout.root, environ)
    with ExitStack() as stack:
        defaults = _start_or_borrow_engines(own_settings, state, stack)
        settings = environment.with_defaults(settings, defaults)
        return _run_in_foreground(command, settings, Path.cwd())


def _start_or_borrow_engines(
    settings: Mapping[str, str], state: Path, stack: ExitStack
) -> Mapping[str, str]:
    """Return the settings of the running engines; start the engines if none are running.

    The stack holds what keeps the engines running: their supervisor, or a shared lock on those of
    another process.
    """
    deadline = time.monotonic() + _ENGINES_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if stack.enter_context(file_lock(state / DEV_LOCK, blocking=False)):
            return stack.enter_context(_own_engines(settings, state))
        stack.enter_context(file_lock(state / _USERS_LOCK, shared=True))
        if borrowed := read_facts(state / DEV_RECORD).get("defaults"):
            return dict(borrowed)
        stack.close()
        time.sleep(_POLL_INTERVAL_SECONDS)  # the other process is starting or has just ended
    raise DevError("Another ./dev command of this checkout neither starts its engines nor ends.")


@contextmanager
def _own_engines(settings: Mapping[str, str], state: Path) -> Iterator[Mapping[str, str]]:
    with Supervisor(state / DEV_RECORD) as supervisor:
        with development_services(settings, state, supervisor) as defaults:
            yield defaults
        with file_lock(state / _USERS_LOCK):  # wait for other commands that use these engines
            pass


def _run_in_foreground(command: Sequence[str], settings: Mapping[str, str], folder: Path) -> int:
    """Run a command that owns the terminal, Ctrl-C included; return its exit code."""
    with _forward_signals() as set_process:
        process = subprocess.Popen(
            [*parent_death_prefix(signal.SIGTERM), *command], env=dict(settings), cwd=folder
        )
        set_process(process)
        code = process.wait()
    return 128 - code if code < 0 else code


@contextmanager
def _forward_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Forward SIGTERM and SIGHUP; ignore SIGINT, which the terminal sends to the command too."""
    processes: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: FrameType | None) -> None:
        for process in processes:
            os.kill(process.pid, number)

    def ignore(number: int, frame: FrameType | None) -> None:
        """Do nothing; unlike SIG_IGN, a handler is not inherited by the command."""

    handlers = {signal.SIGINT: ignore, signal.SIGTERM: forward, signal.SIGHUP: forward}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield processes.append
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
