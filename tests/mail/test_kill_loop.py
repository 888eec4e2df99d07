"""The server is killed twenty times between COMMIT and delivery, and no e-mail is lost."""

import asyncio
import signal
from collections import defaultdict
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import create_async_engine
from tests.support.factories import PASSWORD
from tests.support.mail import mail_config, smtp
from tests.support.mail_server import MailServer, link_token
from tests.support.server import run_server

from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.models import MailState, OutboxMail
from wxc.worker.mail_delivery import MailSender

__all__ = ["mail_config", "smtp"]
ROUNDS = 20
CONCURRENCY = 4


async def register_and_kill(config: Config, log: Path, number: int) -> list[str]:
    """Kill the server at the first acknowledged registration; the acknowledged addresses."""
    acknowledged: list[str] = []
    with run_server(config.database_url, config.redis_url, log) as (port, process):

        async def register(client: httpx.AsyncClient, name: str) -> None:
            account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
            try:
                answer = await client.post("/register", json=account)
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                acknowledged.append(account["email"])
                process.send_signal(signal.SIGKILL)

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            names = (f"member_{number}_{place}" for place in range(CONCURRENCY))
            await asyncio.gather(*(register(client, name) for name in names))
    return acknowledged


@pytest.mark.faults
async def test_every_acknowledged_registration_gets_its_mail(
    mail_config: Config, fresh_database_url: str, smtp: MailServer, tmp_path: Path
) -> None:
    config = mail_config.model_copy(update={"database_url": fresh_database_url})
    acknowledged: list[str] = []
    for number in range(ROUNDS):
        acknowledged += await register_and_kill(config, tmp_path / "log", number)
    assert len(acknowledged) >= ROUNDS

    database, engine = Database(config), create_async_engine(fresh_database_url)
    worker = MailSender(config, database)
    while await worker.run_once():
        pass
    async with engine.begin() as connection:  # as if no result had been stored: all are sent again
        await connection.execute(
            update(OutboxMail).values(state=MailState.WAITING, finished_at=None, due_at=clock.now())
        )
    while await worker.run_once():
        pass

    mails = defaultdict(set)
    for recipient, mail in zip(smtp.recipients, smtp.mails, strict=True):
        mails[recipient].add((mail["message-id"], link_token(mail)))
    assert set(acknowledged) <= mails.keys()
    assert {len(copies) for copies in mails.values()} == {1}
    assert len(smtp.mails) == 2 * len(mails)
    await database.close()
    await engine.dispose()
