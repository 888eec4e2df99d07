"""Runs tests against one mutant in a process of its own, forked off one that has all libraries.

The package is imported anew in each of them; to import the libraries takes longer than most tests.
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

from dev_tools.engines import temporary_engines
from tests.mutation.targets import ROOT, Target

_SURVIVED, _INVALID, _BROKEN = 0, 77, 78
_CPU_SECONDS = 120
"""More than any of the tests need: CPU time, so that a busy machine kills no mutant."""
_TIMEOUT_SECONDS = 600
_OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "tests.mutation.plugin"),
    *("-p", "pytest_asyncio.plugin", "-p", "_hypothesis_pytestplugin"),  # of all that are installed
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of libraries that are here already
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
        # Those with an underscore come with others: _asyncio, first, would be there twice.
        if name.partition(".")[0] not in _OURS and not name.startswith("_"):
            with suppress(ImportError):
                importlib.import_module(name)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.freeze()


@contextmanager
def engines_and_template() -> Iterator[None]:
    """Engines and a database to clone, which `tests/conftest.py` finds in the environment."""
    with temporary_engines() as engines:
        os.environ["WXC_TEST_DATABASE_URL"] = engines.database_url
        os.environ["WXC_TEST_REDIS_URL"] = engines.redis_url
        template = f"wxc_mutants_{uuid4().hex[:8]}"
        if _in_fork(lambda: _make_template(engines.database_url, template)) != 0:
            raise RuntimeError("the template of the databases could not be made")
        os.environ["WXC_TEST_GIVEN_TEMPLATE"] = template
        yield


def outcome_of(target: Target, source: str | None, log: Path | None = None) -> str:
    """`killed`, `timeout`, `survived`, or `invalid` if the module cannot even be imported.

    Without a source, the module is as it is.
    """
    code = _in_fork(lambda: _test(target, source), log)
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout"
    if code == _BROKEN:
        raise RuntimeError(f"the tests of {target.module} cannot be run")
    return {_SURVIVED: "survived", _INVALID: "invalid"}.get(code, "killed")


def _make_template(url: str, name: str) -> int:
    from tests.conftest import make_template

    make_template(url, name)
    return 0


def _test(target: Target, source: str | None) -> int:
    """Run the tests of the module in this process; the exit code."""
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 5))
    if source is not None:
        sys.meta_path.insert(0, _MutantFinder(target, source))
        try:
            importlib.import_module(target.module)
        except Exception:
            return _INVALID
    alone = ["--noconftest"] if target.is_pure else []
    code = pytest.main([*_OPTIONS, *alone, *target.tests])
    cannot_run = (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED)
    return _BROKEN if code in cannot_run else code


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Finds the mutant in the place of its module."""

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
    """The exit code of the work, negative for a signal; None after the time-out."""
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
