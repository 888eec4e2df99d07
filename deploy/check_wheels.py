"""Checks that every locked package has a wheel for the image: `python3 deploy/check_wheels.py`.

It downloads all of them, so it is not part of `./dev check`.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-otel.lock")
ARCHITECTURES = ("x86_64", "aarch64")
# The platforms of current and older Alpine versions; pip does not imply the older one.
_MUSLS = ("musllinux_1_2", "musllinux_1_1")


def python_version() -> str:
    """The version of the image's Python, for example 3.13."""
    found = re.search(r"^ARG PYTHON=(\d+\.\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if not found:
        raise SystemExit("Dockerfile has no line ARG PYTHON=…")
    return found[1]


def pip_errors(lock: str, architecture: str) -> str:
    """pip's errors about packages without a wheel; empty if all have one."""
    platforms = [f"--platform={musl}_{architecture}" for musl in _MUSLS]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--only-binary=:all:", "--no-deps", "--implementation=cp"),
            *(f"--python-version={python_version()}", *platforms, f"--dest={folder}"),
            *("--require-hashes", f"--requirement={ROOT / lock}"),
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")]
    return "\n".join(errors or ["ERROR: pip failed"]) if ran.returncode else ""


def main() -> int:
    failures = 0
    for lock in LOCKS:
        for architecture in ARCHITECTURES:
            errors = pip_errors(lock, architecture)
            failures += bool(errors)
            print(f"{lock} on {architecture}: {errors or 'a wheel for every package'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
