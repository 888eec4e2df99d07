"""Changing one's own account: what may happen, and what follows."""

from functools import partial

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.auth.errors import PasswordTooCommon, SessionExpired
from wxc.auth.passwords import is_common
from wxc.core import clock
from wxc.core.database import Database, after_commit
from wxc.core.limits import Throttle
from wxc.mails import service as mails
from wxc.models import AuditKind, MailKind
from wxc.sessions.repository import OwnSessionRepository
from wxc.settings.errors import WrongPassword
from wxc.settings.repository import OwnAccountReader, OwnAccountRepository
from wxc.settings.schemas import PasswordChange


async def change_password(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    me: Principal,
    change: PasswordChange,
    actor: Actor,
) -> None:
    """Choose another password; every session but this one ends, and the owner is told by mail.

    Raises `PasswordTooCommon`, `WrongPassword` and `RateLimited`. No connection is held while we
    are hashing; a password that changes meanwhile is not overwritten.
    """
    if is_common(change.new_password):
        raise PasswordTooCommon
    seen = await confirm_password(database, auth, throttle, me, change.current_password)
    fresh = await auth.passwords.hash(change.new_password)
    async with database.transaction() as session:
        # The account first: whoever touches its tokens waits for its row.
        address = await OwnAccountRepository(session).replace_password(
            me.id, seen=seen, fresh=fresh
        )
        if address is None:
            raise WrongPassword
        await mails.void_links(session, me.id, MailKind.PASSWORD_RESET, MailKind.EMAIL_CHANGE)
        ended = await OwnSessionRepository(session).revoke_others(me.id, me.session_id, clock.now())
        await mails.enqueue(session, MailKind.PASSWORD_CHANGED, address=address, user_id=me.id)
        await audit.record(
            session,
            AuditKind.PASSWORD_CHANGED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=len(ended),
        )
        after_commit(session, partial(auth.revocations.announce, ended))


async def confirm_password(
    database: Database, auth: Auth, throttle: Throttle, me: Principal, password: str
) -> str:
    """The stored hash, which is that of the password; raises `WrongPassword`, `RateLimited`."""
    auth.passwords.refuse_when_full()  # before any other work is done
    async with database.guarding() as reader:
        seen = await OwnAccountReader(reader).password_hash(me.id)
    if seen is None:
        raise SessionExpired
    use = auth.policies.reauthentication(me.id)
    await throttle.check(use)
    if not await auth.passwords.verify(password, seen):
        await throttle.count(use)
        raise WrongPassword
    return seen
