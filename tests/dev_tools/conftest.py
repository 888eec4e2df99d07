"""A state directory for the tests, and a checkout with a fake `wxc`."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_tools.paths import Checkout, remove_folder

FAKE_WXC = """#!{python}
import asyncio, http.server, os, signal, sys

async def migrate():
    import asyncpg
    connection = await asyncpg.connect(os.environ["DATABASE_OWNER_URL"].replace("+asyncpg", ""))
    await connection.execute("CREATE TABLE IF NOT EXISTS alembic_version AS SELECT 'a' version_num")
    await connection.close()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass

with open("calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
with open("hosts", "a") as hosts:
    print(os.environ.get("PUBLISHED_HOST"), file=hosts)
with open("metrics ports", "a") as ports:
    print(sys.argv[1], os.environ.get("METRICS_PORT"), file=ports)
if os.path.exists("broken"):
    sys.exit(3)
if sys.argv[1] == "demo" and os.path.exists("demo fails"):
    print("disk full")
    sys.exit(3)
if sys.argv[1] == "migrate":
    asyncio.run(migrate())
if sys.argv[1:] == ["demo", "--if-empty"]:
    print("40 posts")
if sys.argv[1:] == ["demo", "--logins"]:
    print("anna / secret")
if sys.argv[1] == "worker" and not os.path.exists("worker dies"):
    signal.signal(signal.SIGTERM, lambda *arguments: sys.exit())
    signal.pause()
if sys.argv[1] == "serve" and not os.path.exists("dies"):
    signal.signal(signal.SIGTERM, lambda *arguments: sys.exit())
    address = (sys.argv[3], int(sys.argv[5]))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    # Not in pytest's own folder, which the service accounts cannot enter.
    path = Path(tempfile.mkdtemp(prefix="wxc-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    remove_folder(path)


@pytest.fixture
def environ(state: Path) -> dict[str, str]:
    return {"WXC_DEV_DIR": str(state), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a tree"
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / "alembic").mkdir()
    (root / "alembic" / "a.py").write_text("revision = 'a'")
    wxc = root / ".venv" / "bin" / "wxc"
    (root / "fake_wxc.py").write_text(FAKE_WXC)
    # A `#!` line cannot name a Python whose path contains a space.
    wxc.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{root}/fake_wxc.py" "$@"\n')
    wxc.chmod(0o755)
    return Checkout(root)
