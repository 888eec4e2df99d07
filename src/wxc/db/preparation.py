"""Prepares a new database for its first migration, with rights that the service never has.

Only a superuser can create PostGIS, on RDS the master user. All other objects are owned by the
application's role, which is created here.
"""

import asyncio
import hmac
import os
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256

import asyncpg
from sqlalchemy import make_url

from wxc.core.config import libpq_url

_EXTENSIONS = ("postgis", "pg_trgm")
_ROUNDS = 4096  # PostgreSQL's default


def prepare(admin_url: str, url: str) -> None:
    """Create the role of `url` and the extensions as the user of `admin_url`; repeatable."""
    asyncio.run(_prepare(libpq_url(admin_url), url))


async def _prepare(admin_url: str, url: str) -> None:
    parts = make_url(url)
    role, database, verifier = parts.username, parts.database, _verifier(str(parts.password))
    connection = await asyncpg.connect(admin_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await _execute(connection, "CREATE ROLE %I LOGIN", role)
        await _execute(connection, "ALTER ROLE %I PASSWORD %L", role, verifier)
        await _execute(connection, "GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I", database, role)
        await _execute(connection, "GRANT USAGE, CREATE ON SCHEMA public TO %I", role)
        for name in _EXTENSIONS:
            await _execute(connection, "CREATE EXTENSION IF NOT EXISTS %I", name)
    finally:
        await connection.close()


async def _execute(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *arguments: str | None
) -> None:
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
