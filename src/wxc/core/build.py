"""The version and revision of the running code."""

import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

_CHECKOUT = Path(__file__).parents[3]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_GIT_TIMEOUT = 5.0  # seconds


def package_version() -> str:
    return version("wxc-social")


def revision() -> str:
    """`REVISION`, which the image build sets, else the commit of the checkout, else `unknown`."""
    return os.environ.get("REVISION") or _checked_out_commit() or "unknown"


def build_name() -> str:
    """As in `wxc 0.1.0 (abc1234)`."""
    commit = revision()
    return f"wxc {package_version()} ({commit[:7] if _COMMIT.fullmatch(commit) else commit})"


def _checked_out_commit() -> str | None:
    # Otherwise git would look in the parent folders: an installation may be inside another project.
    if not (_CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(_CHECKOUT), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(  # noqa: S603 - no external input
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git, no commit or another owner
        return None
    return result.stdout.strip()
