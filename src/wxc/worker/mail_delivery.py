"""Sends the due mails of the outbox.

One statement claims mails, a short transaction resolves each recipient, and another statement
stores the result; no connection is held while a mail is sent. A claim is a lease: if a worker is
killed, its mails are due again when the lease ends, with the same Message-ID and link.
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
from wxc.mail.emails import EmailRenderer
from wxc.mail.links import Links
from wxc.mail.repository.outbox import (
    MailRow,
    claim_mails,
    delete_closed_mails,
    delete_mail,
    update_due_at,
    update_final_state,
)
from wxc.mail.repository.tokens import delete_expired_tokens
from wxc.mail.smtp import DeliveryFailed, SmtpTransport
from wxc.models import NOTICE_KINDS, MailKind, MailState
from wxc.worker.periodic_task import noop

_log = logging.getLogger("wxc.mails")
_BATCH_SIZE = 10  # mails that are sent concurrently
_MAX_BACKOFF_SECONDS = 3600.0
_RETENTION = timedelta(days=7)  # of closed mails and expired tokens
_PURGE_INTERVAL = timedelta(hours=1)


class MailSender:
    """Sends due mails; any number of workers may run concurrently."""

    name = "mails"

    def __init__(self, config: Config, database: Database) -> None:
        self._database = database
        self._links = Links(config)
        self._renderer = EmailRenderer()
        self._transport = SmtpTransport(config)
        self._has_server = bool(config.mail_server)
        self._interval = config.mail_poll_interval
        self._max_attempts = config.mail_attempts
        self._max_link_delay = timedelta(seconds=config.mail_link_patience)
        # Longer than any attempt: the timeout of SmtpTransport bounds connecting and sending.
        self._lease = timedelta(seconds=60 + 3 * config.mail_timeout)
        self._purged_at = clock.now() - _PURGE_INTERVAL

    async def run(self, stop: asyncio.Event, done: OnSuccess = noop) -> None:
        if not self._has_server:
            _log.warning("MAIL_SERVER is not set: mails are kept waiting")
            await stop.wait()
        while not stop.is_set():
            is_busy = await self._run_round(done)
            if not is_busy:
                await pause(self._interval, stop)

    async def run_once(self) -> int:
        """Attempt one batch of due mails; returns its size."""
        moment = clock.now()
        mails = await self._database.primary.fetch(
            claim_mails(moment, moment + self._lease, limit=_BATCH_SIZE)
        )
        await asyncio.gather(*(self._process_with_lease(mail) for mail in mails))
        return len(mails)

    async def purge(self) -> None:
        """Delete closed mails and expired tokens after their retention; at most once an hour."""
        if clock.now() - self._purged_at < _PURGE_INTERVAL:
            return
        self._purged_at = clock.now()
        before = clock.now() - _RETENTION
        await self._database.primary.fetch(delete_closed_mails(before))
        await self._database.primary.fetch(delete_expired_tokens(before))

    async def _run_round(self, done: OnSuccess) -> bool:
        """Returns whether more mails may be due; False if the database is unavailable."""
        try:
            await self.purge()
            is_busy = await self.run_once() == _BATCH_SIZE
        except UNAVAILABLE_ERRORS as error:
            _log.warning("the outbox cannot be read: %r", error)
            return False
        done()
        return is_busy

    async def _process_with_lease(self, mail: MailRow) -> None:
        """Process a mail; if the result cannot be stored, it is attempted again after its lease."""
        try:
            await self._process(mail)
        except UNAVAILABLE_ERRORS as error:
            _log.warning("mail %s (%s) waits for the database: %r", mail.id, mail.kind, error)

    async def _process(self, mail: MailRow) -> None:
        """Attempt a mail and store the result; a failure does not affect other mails."""
        try:
            await self._attempt(mail)
        except service.RecipientGone:
            await self._database.primary.fetch_one(delete_mail(mail.id))
        except service.Obsolete as reason:
            _log.warning("mail %s (%s) is dropped: %s", mail.id, mail.kind, reason)
            await self._close(mail, MailState.DROPPED)
        except DeliveryFailed as reason:
            await self._retry_or_give_up(mail, str(reason))
        except UNAVAILABLE_ERRORS:
            raise
        except Exception as error:
            _log.exception("mail %s (%s) failed unexpectedly", mail.id, mail.kind)
            await self._retry_or_give_up(mail, type(error).__name__)

    async def _attempt(self, mail: MailRow) -> None:
        kind = MailKind(mail.kind)
        is_late = clock.now() - mail.created_at > self._max_link_delay
        if is_late and kind not in NOTICE_KINDS:
            raise service.Obsolete("its link could not be sent in time")
        if mail.attempts > self._max_attempts:
            raise DeliveryFailed("no attempt has stored a result")
        async with self._database.transaction() as session:
            recipient = await service.resolve_recipient(session, self._links, mail)
        email = self._renderer.render(
            kind,
            username=recipient.username,
            address=recipient.address,
            url=recipient.url,
            lifetime=self._links.lifetime(kind),
            detail=mail.detail,
        )
        message_id = f"<{mail.id}@{self._links.domain}>"
        await self._transport.deliver(
            email, recipient.address, message_id=message_id, created_at=mail.created_at
        )
        await self._close(mail, MailState.SENT)
        _log.info("mail %s (%s) is sent", mail.id, mail.kind)

    async def _retry_or_give_up(self, mail: MailRow, reason: str) -> None:
        if mail.attempts >= self._max_attempts:
            _log.error(
                "mail %s (%s) is given up after %d attempts: %s",
                *(mail.id, mail.kind, mail.attempts, reason),
            )
            await self._close(mail, MailState.DEAD)
            return
        delay = backoff(mail.attempts)
        _log.warning("mail %s (%s) is retried in %.0f s: %s", mail.id, mail.kind, delay, reason)
        due_at = clock.now() + timedelta(seconds=delay)
        await self._database.primary.fetch_one(update_due_at(mail.id, mail.attempts, due_at))

    async def _close(self, mail: MailRow, state: MailState) -> None:
        await self._database.primary.fetch_one(
            update_final_state(mail.id, mail.attempts, state, clock.now())
        )


def backoff(attempts: int) -> float:
    """Seconds until the next attempt: 1 s, doubled each time up to 1 h, plus 0 to 50 % jitter."""
    jitter = random.uniform(1, 1.5)  # noqa: S311 - not a secret
    return min(2.0 ** (attempts - 1), _MAX_BACKOFF_SECONDS) * jitter
