"""`./dev lock`, and the gate that compares the locks with what pyproject.toml resolves to."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev_tools.console import StackError, say
from dev_tools.paths import Checkout

APPLICATION = "requirements.lock"
TRACING = "requirements-otel.lock"
DEVELOPMENT = "requirements-dev.lock"
ALL = (APPLICATION, TRACING, DEVELOPMENT)
VERIFY = (sys.executable, "-m", "dev_tools", "verify-locks")
# Neither header nor index: the locks work behind any mirror, and name no address.
_FLAGS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-header", "--no-emit-index-url", "--quiet"),
)


def lock(checkout: Checkout, more: Sequence[str] = ()) -> None:
    """Write all locks; versions that are in them already stay, unless `--upgrade` is given."""
    _resolve(checkout, checkout.root, more)
    say(f"{', '.join(ALL)} are up to date.")


def verify(checkout: Checkout) -> None:
    """Complain when a lock is not what pyproject.toml resolves to."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for file in ("pyproject.toml", *ALL):
            shutil.copy(checkout.root / file, copy)
        _resolve(checkout, copy)
        stale = [
            file
            for file in ALL
            if (copy / file).read_bytes() != (checkout.root / file).read_bytes()
        ]
    if stale:
        raise StackError(
            f"{' and '.join(stale)}: not what pyproject.toml resolves to. Run ./dev lock"
        )


def _resolve(checkout: Checkout, folder: Path, more: Sequence[str] = ()) -> None:
    for target, what in (
        # What narrows the choice comes first, so that all of them hold the same versions.
        (TRACING, ("--extra", "otel")),
        (APPLICATION, ("--constraints", TRACING)),
        (DEVELOPMENT, ("--extra", "otel", "--group", "dev", "--constraints", TRACING)),
    ):
        ran = subprocess.run(
            [
                *(str(checkout.uv), "pip", "compile", "pyproject.toml"),
                *(*what, *_FLAGS, *more, "--output-file", target),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise StackError(
                f"{target} could not be resolved. Is the package index reachable?\n{ran.stderr}"
            )
