import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NoReturn, Protocol
from uuid import uuid4

import pytest
from tests.support.database import clone_database, drop_database
from tests.support.secrecy import assert_no_secret
from tests.support.server import run_server

from dev_tools import client
from dev_tools.console import DevError
from dev_tools.paths import this_checkout

APP = "http://app.wxc.localhost:3000"
JWT_SECRET_KEY = "j" * 40  # the tests sign expired tokens with it
_TIMEOUT = 100  # seconds


class Run(Protocol):
    """Runs a command in the client's folder; fails the test if the command fails."""

    def __call__(self, *command: str, **settings: str) -> None: ...


def skip_or_fail(reason: str) -> NoReturn:
    """Skip a test that this machine cannot run; fail it if `CI` is set."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node() -> Mapping[str, str]:
    """The environment in which Node runs the built client and its tests."""
    checkout = this_checkout()
    try:
        settings = client.node_environment(checkout, os.environ)
    except DevError as error:
        skip_or_fail(f"The client is not tested. {error} Run ./dev client.")
    if not client.has_current_packages(checkout):
        skip_or_fail("The client is not tested. Its npm packages are missing. Run ./dev client.")
    client.compile_client(checkout, settings)
    return settings


@pytest.fixture(scope="session")
def run(node: Mapping[str, str]) -> Run:
    def run(*command: str, **settings: str) -> None:
        ran = subprocess.run(  # noqa: S603 - the commands are constants
            command,
            cwd=client.package_folder(this_checkout()),
            env={**node, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_TIMEOUT,
        )
        assert ran.returncode == 0, ran.stdout.decode(errors="replace")

    return run


@pytest.fixture(scope="module")
async def api(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """The port of a server that accepts requests from pages of `APP`."""
    server, template = os.environ["WXC_TEST_DATABASE_URL"], os.environ["WXC_TEST_TEMPLATE"]
    name = f"{template}_{uuid4().hex[:8]}"
    log = Path(tmp_path_factory.mktemp("client")) / "server.log"
    url = await clone_database(server, template, name)
    settings = {"CORS_ORIGINS": APP, "JWT_SECRET_KEY": JWT_SECRET_KEY}
    with run_server(url, redis_url, log, **settings) as (port, _):
        yield port
    assert_no_secret(log)
    await drop_database(server, name)
