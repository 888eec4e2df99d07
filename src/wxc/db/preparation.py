"""Prepares a new database for its first migration, with rights that the service never has.

Only a superuser can create PostGIS, on RDS the master user. All other objects are owned by the role
of the migrations, which is created here, as is the service's.
"""

import asyncio
import hmac
import os
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import TypeAlias

import asyncpg
from sqlalchemy import URL, make_url

from wxc.core.database_urls import libpq_url
from wxc.db.service_role import grants_to

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_EXTENSIONS = ("postgis", "pg_trgm")
_ROUNDS = 4096  # PostgreSQL's default


def prepare(admin_url: str, service_url: str, owner_url: str | None) -> None:
    """Create the roles of the URLs and the extensions as the user of `admin_url`; repeatable.

    Objects that the service owns are handed over to the owner of the schema.
    """
    asyncio.run(
        _prepare(libpq_url(admin_url), make_url(service_url), make_url(owner_url or service_url))
    )


async def _prepare(admin_url: str, service: URL, owner: URL) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        for url in (service, owner):
            await _create_role(connection, url)
        await _execute(connection, "GRANT USAGE, CREATE ON SCHEMA public TO %I", owner.username)
        for name in _EXTENSIONS:
            await _execute(connection, "CREATE EXTENSION IF NOT EXISTS %I", name)
        if owner.username != service.username:
            await _hand_over(connection, str(service.username), str(owner.username))
    finally:
        await connection.close()


async def _create_role(connection: Connection, url: URL) -> None:
    role, verifier = url.username, _verifier(str(url.password))
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await _execute(connection, "CREATE ROLE %I LOGIN", role)
    await _execute(connection, "ALTER ROLE %I PASSWORD %L", role, verifier)
    await _execute(connection, "GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I", url.database, role)


async def _hand_over(connection: Connection, service: str, owner: str) -> None:
    """Take the schema away from the service in one transaction, while it serves requests."""
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        for role in (service, owner):  # only their members may hand objects over
            await _execute(connection, "GRANT %I TO CURRENT_USER", role)
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await _execute(connection, "REVOKE CREATE ON SCHEMA public FROM %I", service)
        await _execute(connection, "REASSIGN OWNED BY %I TO %I", service, owner)
        await _execute(connection, "SET LOCAL ROLE %I", owner)
        await connection.execute(grants_to(service))


async def _execute(connection: Connection, statement: str, *arguments: str | None) -> None:
    """Run a statement that allows no parameters; the server quotes its names and values."""
    placeholders = ", ".join(f"${number}::text" for number in range(2, len(arguments) + 2))
    quoted = f"SELECT format($1, {placeholders})"
    await connection.execute(await connection.fetchval(quoted, statement, *arguments))


def _verifier(password: str) -> str:
    """The SCRAM verifier (RFC 5803); the password itself would appear in the statement log."""
    salt = os.urandom(16)
    salted = pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    head = f"SCRAM-SHA-256${_ROUNDS}:{b64encode(salt).decode()}"
    return f"{head}${b64encode(stored).decode()}:{b64encode(server).decode()}"
