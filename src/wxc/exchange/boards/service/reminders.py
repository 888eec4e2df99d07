from wxc.core import clock
from wxc.core.ids import new_id
from wxc.db.database import Database
from wxc.exchange.boards.repository import writing
from wxc.models import NotificationType
from wxc.social.notifications.repository.writing import NotificationDraft
from wxc.social.notifications.service.notifying import notify

_REMINDER_BATCH_SIZE = 100


async def remind_owners(database: Database) -> bool:
    """Notify owners whose rates soon become stale, once per confirmation; False if none is due."""
    async with database.transaction() as session:
        due = await session.fetch(writing.claim_reminders(clock.now(), limit=_REMINDER_BATCH_SIZE))
        kind = NotificationType.EXCHANGE_EXPIRING
        await notify(
            session, *(NotificationDraft(board.owner_id, kind, None, new_id()) for board in due)
        )
    return bool(due)
