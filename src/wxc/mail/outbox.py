"""The only place that inserts e-mails, so that each one counts towards its recipient's limit."""

from collections.abc import Mapping
from uuid import UUID

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.core.text import fold_identifier
from wxc.db.handle import Handle
from wxc.http.rate_limits import Hit, Policy, RateLimitStore
from wxc.mail.repository.outbox import insert_mail
from wxc.models import MailKind


class Outbox:
    def __init__(self, config: Config, limits: RateLimitStore) -> None:
        self._limits = limits
        self._policy = Policy.parse("mails-recipient", config.limit_mails_per_recipient)

    async def enqueue(
        self,
        db: Handle,
        kind: MailKind,
        *,
        address: str,
        user_id: UUID | None = None,
        ignores_limit: bool = False,
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Queue an e-mail, silently none above the limit of its address.

        A security notice to a verified address `ignores_limit`: strangers, who can request mails to
        it, could otherwise use up the limit and so suppress the notice.
        """
        if await self._limits.count(self.hit(address)) or ignores_limit:
            await enqueue(db, kind, address=address, user_id=user_id, detail=detail)

    async def count_notice(self, address: str) -> bool:
        """Count a notice apart from mails with links, so that neither can suppress the other."""
        return await self._limits.count(Hit(self._policy, (fold_identifier(address), "notice")))

    def hit(self, address: str) -> Hit:
        """One mail to this address; all spellings of it are counted together."""
        return Hit(self._policy, (fold_identifier(address),))


async def enqueue(
    db: Handle,
    kind: MailKind,
    *,
    address: str,
    user_id: UUID | None = None,
    dedup_key: str | None = None,
    detail: Mapping[str, str] | None = None,
) -> None:
    """Queue an e-mail, to be sent after the commit; nothing is queued for a repeated `dedup_key`.

    Without `user_id` the worker looks up the account by its address. `detail` is for the facts of
    the kind's template, and must contain no text chosen by a user.
    """
    mail_id = new_id()
    key = dedup_key or f"{kind}:{mail_id}"
    facts = dict(detail or {})
    await db.fetch_one(insert_mail(mail_id, kind, address, user_id, key, clock.now(), facts))
