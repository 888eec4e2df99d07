"""Runs the tests of each mutant in a process forked from one that has imported all libraries.

Each fork imports our own packages anew; importing the libraries takes longer than most tests.
"""

import gc
import importlib
import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from uuid import uuid4

from sqlalchemy import make_url

from dev_tools.engines import temporary_engines
from tests.mutation.targets import ROOT, Target

_SURVIVED, _INVALID, _BROKEN = 0, 77, 78  # exit codes
_CPU_SECONDS = 120
"""More than the tests of any module need. CPU time, so that a busy machine kills no mutant."""
_TIMEOUT_SECONDS = 600
_OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutation.plugin"),
    *("-p", "pytest_asyncio.plugin", "-p", "_hypothesis_pytestplugin"),  # no other plugin
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of libraries that are already imported
)
_OURS = ("wxc", "tests", "clients", "dev_tools", "bench", "__main__")


def import_libraries() -> None:
    """Import what the application and its tests import, except for our own packages."""
    wanted = "hypothesis.strategies, pytest_asyncio.plugin, pytest, tests.conftest"
    script = f"import json, sys, {wanted}; print(json.dumps(sorted(sys.modules)))"
    listed = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in json.loads(listed.stdout.splitlines()[-1]):
        # Other modules import those with an underscore; _asyncio, if first, would exist twice.
        if name.partition(".")[0] not in _OURS and not name.startswith("_"):
            with suppress(ImportError):
                importlib.import_module(name)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.freeze()


@contextmanager
def engines_and_template() -> Iterator[None]:
    """Engines, the role of the service and a database to clone.

    The forks inherit the environment variables in which `tests/conftest.py` finds them.
    """
    with temporary_engines() as engines:
        name = f"wxc_mutants_{uuid4().hex[:8]}"
        service = make_url(engines.database_url).set(
            username=f"{name}_service", password=uuid4().hex
        )
        os.environ |= {
            "WXC_TEST_DATABASE_URL": engines.database_url,
            "WXC_TEST_REDIS_URL": engines.redis_url,
            "WXC_TEST_SERVICE_URL": service.render_as_string(hide_password=False),
            "WXC_TEST_GIVEN_TEMPLATE": name,
        }
        try:
            _require_success(lambda: _make_template(engines.database_url, name))
            yield
        finally:
            _require_success(lambda: _drop_template(engines.database_url, name))


def outcome_of(target: Target, source: str | None, log: Path | None = None) -> str:
    """`killed`, `timeout`, `survived`, or `invalid` if the mutant cannot be imported.

    Without a source, runs the tests of the unchanged module.
    """
    code = _in_fork(lambda: _test(target, source), log)
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout"
    if code == _BROKEN:
        raise RuntimeError(f"pytest found or ran no tests of {target.module}")
    return {_SURVIVED: "survived", _INVALID: "invalid"}.get(code, "killed")


def _require_success(work: Callable[[], None]) -> None:
    """Call it in a fork, so that this process does not import our packages."""

    def call() -> int:
        work()
        return 0

    if _in_fork(call) != 0:
        raise RuntimeError("the template database could not be created or dropped")


def _make_template(server: str, name: str) -> None:
    from tests.conftest import make_template

    make_template(server, name)


def _drop_template(server: str, name: str) -> None:
    from tests.conftest import drop_template

    drop_template(server, name)


def _test(target: Target, source: str | None) -> int:
    """Run the tests of the module in this process; returns the exit code."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 5))
    if source is not None:
        sys.meta_path.insert(0, _MutantFinder(target, source))
        try:
            importlib.import_module(target.module)
        except Exception:
            return _INVALID
    options = [*_OPTIONS, "--noconftest"] if target.is_pure else _OPTIONS
    code = pytest.main([*options, *target.tests])
    cannot_run = (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)
    return _BROKEN if code in cannot_run else code


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Finds the mutant instead of its module."""

    def __init__(self, target: Target, source: str) -> None:
        self._target = target
        self._source = source

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._target.module:
            return None
        file = str(self._target.file)
        return importlib.util.spec_from_file_location(
            name, file, loader=_MutantLoader(name, file, self._source)
        )


class _MutantLoader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.path, "exec")
        return code


def _in_fork(work: Callable[[], int], log: Path | None = None) -> int | None:
    """The exit code of the fork, negative for a signal; None if it timed out."""
    child = os.fork()
    if child == 0:
        _run_and_exit(work, log)
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        finished, status = os.waitpid(child, os.WNOHANG)
        if finished:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run_and_exit(work: Callable[[], int], log: Path | None) -> None:
    os.setsid()
    output = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = _BROKEN
    try:
        code = int(work())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
