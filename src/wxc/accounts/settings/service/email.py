from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.settings.errors import WrongPassword
from wxc.accounts.settings.repository import PendingAddressRow, update_pending_address
from wxc.accounts.settings.schemas import EmailChange
from wxc.accounts.settings.service.account import confirm_password
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.mail import service as mails
from wxc.mail.schemas import MailAccepted
from wxc.models import AuditKind, MailKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor


async def change_email(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    change: EmailChange,
    actor: Actor,
) -> MailAccepted:
    """Send a link to a new address, which changes it, and one to the old, which cancels that.

    Requesting the current address cancels a pending change. The worker sends no mail if another
    account has the address, and none is enqueued above the recipient's limit; the response is the
    same. Raises `WrongPassword` and `RateLimited`.
    """
    old_hash = await confirm_password(database, auth, limiter, me, change.current_password)
    async with database.transaction() as session:
        account = await session.fetch_one(update_pending_address(me.id, change.email, old_hash))
        if account is None:
            raise WrongPassword
        if account.pending_email is not None:
            await limiter.count(*auth.policies.mail_request(limiter.network, me.id))
            await _enqueue_change(session, auth, me.id, account)
        if account.pending_email is not None or account.former is not None:
            await _record_change(session, me, account, actor)
    return MailAccepted(status="accepted")


async def _enqueue_change(
    session: Session, auth: Auth, user_id: UUID, account: PendingAddressRow
) -> None:
    """Mail the link to the pending address, and the link that cancels it to the current one."""
    await auth.outbox.enqueue(
        session,
        MailKind.EMAIL_CHANGE_REQUESTED,
        address=account.email,
        user_id=user_id,
        ignores_limit=account.is_verified,
    )
    await auth.outbox.enqueue(
        session, MailKind.EMAIL_CHANGE, address=account.pending_email or "", user_id=user_id
    )


async def _record_change(
    session: Session, me: Principal, account: PendingAddressRow, actor: Actor
) -> None:
    """Audit the request or the cancellation, and invalidate earlier links to a new address."""
    await mails.invalidate_links(session, me.id, MailKind.EMAIL_CHANGE)
    is_pending = account.pending_email is not None
    kind = AuditKind.EMAIL_CHANGE_REQUESTED if is_pending else AuditKind.EMAIL_CHANGE_CANCELLED
    await audit.record(session, kind, actor, user_id=me.id, session_id=me.session_id)
