"""Connections verify the server's certificate and name if the URL asks for it."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.db.test_migrations import environment_of
from tests.support.deployments import aws_resources
from typer.testing import CliRunner

from dev_tools import postgres
from dev_tools.engines import require_postgres
from dev_tools.paths import remove_folder, service_account
from dev_tools.processes import Supervisor
from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.core.database_urls import asyncpg_url
from wxc.db.database import Database
from wxc.health.repository import schema_revision

REQUEST = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the service account can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="wxc-test-", dir="/var/tmp"))
    path.chmod(0o711)
    yield path
    remove_folder(path)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """The URL of a server whose certificate is for `localhost` only."""
    cluster = postgres.copy_template(folder, folder / "postgres", require_postgres())
    key, certificate = folder / "postgres" / "key.pem", folder / "certificate.pem"
    command = [*REQUEST, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    certificate.chmod(0o644)
    if account := service_account("postgres"):
        os.chown(key, account.uid, account.gid)
    settings = {"ssl": "on", "ssl_key_file": str(key), "ssl_cert_file": str(certificate)}
    with Supervisor(folder / "record") as supervisor:
        yield postgres.start(supervisor, cluster, settings)


def url_of(server: str, host: str, root: Path) -> str:
    return f"{server.replace('127.0.0.1', host)}?sslmode=verify-full&sslrootcert={root}"


def test_migrations_and_both_pools_verify_the_server(
    server: str, folder: Path, config: Config
) -> None:
    root = folder / "certificate.pem"
    good, wrong_name = url_of(server, "localhost", root), url_of(server, "127.0.0.1", root)

    migrated = CliRunner().invoke(cli.app, ["migrate"], env=environment_of(good))
    refused = CliRunner().invoke(cli.app, ["migrate"], env=environment_of(wrong_name))

    assert migrated.exit_code == 0, migrated.output
    assert refused.exit_code == 3, refused.output
    assert "certificate verify failed" in refused.output
    asyncio.run(use_both_pools(config, good))
    with pytest.raises(OSError, match="certificate verify failed"):
        asyncio.run(use_both_pools(config, wrong_name))


async def use_both_pools(config: Config, url: str) -> None:
    database = Database(config.model_copy(update={"database_url": asyncpg_url(url)}))
    try:
        await database.fetch(schema_revision())
        async with database.transaction() as session:
            await session.fetch(schema_revision())
    finally:
        await database.close()


def test_the_template_verifies_the_database_and_limits_outgoing_connections() -> None:
    resources = aws_resources()
    for name in ("DatabaseUrl", "DatabaseOwnerUrl", "DatabaseAdminUrl"):
        url = resources[name]["Properties"]["SecretString"]
        assert url.endswith("?sslmode=verify-full&sslrootcert=/srv/rds-ca-bundle.pem")
    rules = [
        *resources["TaskGroup"]["Properties"]["SecurityGroupEgress"],
        *(
            resource["Properties"]
            for resource in resources.values()
            if resource["Type"] == "AWS::EC2::SecurityGroupEgress"
        ),
    ]
    ports = {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules}
    assert ports == {
        *(("tcp", port, port) for port in (53, 443, 587, 5432, 6379)),
        ("udp", 53, 53),
    }
