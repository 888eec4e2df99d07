"""The worker's job of sending: takes due mails out of the outbox.

A mail is claimed by one statement, addressed in a short transaction, and marked by another
statement; no connection is held while the mail server answers. A claim is a lease: when a worker
is killed, its mails are due again at the end of the lease, with the same Message-ID and link.
"""

import asyncio
import logging
import random
from datetime import timedelta

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.tasks import OnSuccess, pause
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.mail import service
from wxc.mail.letters import Letters
from wxc.mail.links import Links
from wxc.mail.postman import NotSent, Postman
from wxc.mail.repository.outbox import (
    MailRow,
    claim_mails,
    delete_closed_mails,
    delete_mail,
    update_due_at,
    update_final_state,
)
from wxc.mail.repository.tokens import delete_expired_tokens
from wxc.models import MailKind, MailState
from wxc.worker.periodic_task import nobody_asks

_log = logging.getLogger("wxc.mails")
_BATCH = 10  # mails that are sent at once
_MAX_BACKOFF = 3600.0  # seconds between two attempts
_RETENTION = timedelta(days=7)  # of closed mails and expired tokens
_PURGE_INTERVAL = timedelta(hours=1)


class Worker:
    """Sends due mails until it is stopped; any number of workers may run at once."""

    name = "mails"

    def __init__(self, config: Config, database: Database) -> None:
        self._database = database
        self._links = Links(config)
        self._letters = Letters()
        self._postman = Postman(config)
        self._has_server = bool(config.mail_server)
        self._interval = config.mail_poll_interval
        self._most_attempts = config.mail_attempts
        self._patience = timedelta(seconds=config.mail_link_patience)
        # Whatever happens, an attempt is over by then; see Postman for what may take how long.
        self._lease = timedelta(seconds=60 + 3 * config.mail_timeout)
        self._purged_at = clock.now() - _PURGE_INTERVAL

    async def run(self, stop: asyncio.Event, done: OnSuccess = nobody_asks) -> None:
        """Work until `stop` is set; a batch that has begun is finished."""
        if not self._has_server:
            _log.warning("MAIL_SERVER is not set: mails are kept waiting")
            await stop.wait()
        while not stop.is_set():
            is_busy = await self._try_once(done)
            if not is_busy:
                await pause(self._interval, stop)

    async def work_once(self) -> int:
        """Attempt one batch of due mails; returns how many there were."""
        moment = clock.now()
        mails = await self._database.primary.fetch(
            claim_mails(moment, moment + self._lease, limit=_BATCH)
        )
        await asyncio.gather(*(self._handle(mail) for mail in mails))
        return len(mails)

    async def purge(self) -> None:
        """Once an hour delete the mails and tokens that have been over for a week."""
        if clock.now() - self._purged_at < _PURGE_INTERVAL:
            return
        self._purged_at = clock.now()
        before = clock.now() - _RETENTION
        await self._database.primary.fetch(delete_closed_mails(before))
        await self._database.primary.fetch(delete_expired_tokens(before))

    async def _try_once(self, done: OnSuccess) -> bool:
        """Whether there may be more to do at once; an outage of the database is waited out."""
        try:
            await self.purge()
            is_busy = await self.work_once() == _BATCH
        except UNAVAILABLE_ERRORS as error:
            _log.warning("the outbox cannot be read: %r", error)
            return False
        done()
        return is_busy

    async def _handle(self, mail: MailRow) -> None:
        """One attempt; if its result cannot be stored, it is repeated when the lease has ended."""
        try:
            await self._settle(mail)
        except UNAVAILABLE_ERRORS as error:
            _log.warning("mail %s (%s) waits for the database: %r", mail.id, mail.kind, error)

    async def _settle(self, mail: MailRow) -> None:
        """Make the attempt and store its result; one bad mail does not stop the others."""
        try:
            await self._attempt(mail)
        except service.NobodyThere:
            await self._database.primary.fetch_one(delete_mail(mail.id))
        except service.NotWanted as reason:
            _log.warning("mail %s (%s) is dropped: %s", mail.id, mail.kind, reason)
            await self._finish(mail, MailState.DROPPED)
        except NotSent as reason:
            await self._fail(mail, str(reason))
        except UNAVAILABLE_ERRORS:
            raise
        except Exception as error:
            _log.exception("mail %s (%s) cannot be written", mail.id, mail.kind)
            await self._fail(mail, type(error).__name__)

    async def _attempt(self, mail: MailRow) -> None:
        kind = MailKind(mail.kind)
        if self._links.is_in(kind) and clock.now() - mail.created_at > self._patience:
            raise service.NotWanted("its link could not be sent in time")
        if mail.attempts > self._most_attempts:  # each of them was cut short
            raise NotSent("no attempt has come to its end")
        async with self._database.transaction() as session:
            recipient = await service.address_mail(session, self._links, mail)
        letter = self._letters.write(
            kind,
            username=recipient.username,
            address=recipient.address,
            url=recipient.url,
            lifetime=self._links.lifetime(kind),
        )
        message_id = f"<{mail.id}@{self._links.domain}>"
        await self._postman.deliver(
            letter, recipient.address, message_id=message_id, written_at=mail.created_at
        )
        await self._finish(mail, MailState.SENT)
        _log.info("mail %s (%s) is sent", mail.id, mail.kind)

    async def _fail(self, mail: MailRow, reason: str) -> None:
        """Try again later, or give up."""
        if mail.attempts >= self._most_attempts:
            _log.error(
                "mail %s (%s) is given up after %d attempts: %s",
                *(mail.id, mail.kind, mail.attempts, reason),
            )
            await self._finish(mail, MailState.DEAD)
            return
        pause = backoff(mail.attempts)
        _log.warning("mail %s (%s) is tried again in %.0f s: %s", mail.id, mail.kind, pause, reason)
        due_at = clock.now() + timedelta(seconds=pause)
        await self._database.primary.fetch_one(update_due_at(mail.id, mail.attempts, due_at))

    async def _finish(self, mail: MailRow, state: MailState) -> None:
        await self._database.primary.fetch_one(
            update_final_state(mail.id, mail.attempts, state, clock.now())
        )


def backoff(attempts: int) -> float:
    """Seconds until the next attempt: doubling from one to an hour, and up to a half more."""
    return min(2.0 ** (attempts - 1), _MAX_BACKOFF) * random.uniform(1, 1.5)  # noqa: S311
