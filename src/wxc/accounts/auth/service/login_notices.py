"""Mails to the owner about logins on devices that the account does not know."""

from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.repository.accounts import AccountRow, address_after_first_login
from wxc.core import clock
from wxc.core.user_agents import browser_name
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.mail import outbox
from wxc.models import MailKind


async def count(database: Database, auth: Auth, user_id: UUID) -> bool:
    """Count a notice to the owner; False at the first login and above the address's limit.

    Call it before the transaction of the login: the count is in Redis.
    """
    owner = await database.primary.fetch_one(address_after_first_login(user_id))
    return owner is not None and await auth.outbox.count_notice(owner.email)


async def enqueue(
    session: Session, account: AccountRow, user_agent: str | None, country: str | None
) -> None:
    moment = clock.now()
    detail = {
        "time": f"{moment.day} {moment:%B %Y, %H:%M} UTC",
        "browser": browser_name(user_agent),
    }
    if country is not None:
        detail["place"] = country
    await outbox.enqueue(
        session, MailKind.NEW_DEVICE, address=account.email, user_id=account.id, detail=detail
    )
