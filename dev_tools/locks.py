"""`./dev lock`, and the check that the locks match pyproject.toml."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev_tools.console import DevError, print_out
from dev_tools.paths import Checkout

APPLICATION = "requirements.lock"
TRACING = "requirements-otel.lock"
DEVELOPMENT = "requirements-dev.lock"
MUTATION = "requirements-mutation.lock"
ALL = (APPLICATION, TRACING, DEVELOPMENT, MUTATION)
VERIFY = (sys.executable, "-m", "dev_tools", "verify-locks")
# No header and no index URL: the locks name no address and work behind any mirror.
_FLAGS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-header", "--no-emit-index-url", "--quiet"),
)


def lock(checkout: Checkout, options: Sequence[str] = ()) -> None:
    """Write all locks; locked versions stay unless the options contain `--upgrade`."""
    _resolve(checkout, checkout.root, options)
    print_out(f"{', '.join(ALL)} are up to date.")


def verify(checkout: Checkout) -> None:
    """Raise `DevError` if a lock differs from what pyproject.toml resolves to."""
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
        raise DevError(f"Out of date with pyproject.toml: {', '.join(stale)}. Run ./dev lock")


def _resolve(checkout: Checkout, folder: Path, options: Sequence[str] = ()) -> None:
    for target, selection in (
        # The lock that constrains the others comes first, so that all have the same versions.
        (TRACING, ("--extra", "otel")),
        (APPLICATION, ("--constraints", TRACING)),
        (DEVELOPMENT, ("--extra", "otel", "--group", "dev", "--constraints", TRACING)),
        # Installed in addition to the development packages, for mutation testing.
        (MUTATION, ("--group", "mutation", "--constraints", DEVELOPMENT)),
    ):
        ran = subprocess.run(
            [
                *(str(checkout.uv), "pip", "compile", "pyproject.toml"),
                *(*selection, *_FLAGS, *options, "--output-file", target),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise DevError(
                f"{target} could not be resolved. Is the package index reachable?\n{ran.stderr}"
            )
