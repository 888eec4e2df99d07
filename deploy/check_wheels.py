"""Has each locked package a wheel for the image?

It downloads all of them, so it is no part of ./dev check: python3 deploy/check_wheels.py.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-otel.lock")
ARCHITECTURES = ("x86_64", "aarch64")
# pip takes each platform by its name: those of an Alpine of today, and of the years before.
_MUSLS = ("musllinux_1_2", "musllinux_1_1")


def python_version() -> str:
    """The version of the image's Python, such as 3.13."""
    found = re.search(r"^ARG PYTHON=(\d+\.\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if not found:
        raise SystemExit("Dockerfile says no longer which Python it takes")
    return found[1]


def missing(lock: str, architecture: str) -> str:
    """What pip says of the packages without a wheel; nothing where there are none."""
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
    """Ask for every lock and architecture."""
    failures = 0
    for lock in LOCKS:
        for architecture in ARCHITECTURES:
            said = missing(lock, architecture)
            failures += bool(said)
            print(f"{lock} on {architecture}: {said or 'a wheel for every package'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
