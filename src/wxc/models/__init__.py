"""The database schema, one table per file."""

from wxc.models.audit_event import AuditEvent, AuditKind
from wxc.models.base import Base, RowId, columns
from wxc.models.block import Block
from wxc.models.comment import Comment
from wxc.models.comment_like import CommentLike
from wxc.models.exchange import Exchange
from wxc.models.exchange_confirmation import ExchangeConfirmation
from wxc.models.exchange_rate import ExchangeRate
from wxc.models.follow import Follow
from wxc.models.idempotency_key import IdempotencyKey
from wxc.models.mail_token import MailToken
from wxc.models.mute import Mute
from wxc.models.notification import Notification, NotificationType
from wxc.models.outbox_mail import NOTICE_KINDS, MailKind, MailState, OutboxMail
from wxc.models.post import Post
from wxc.models.post_like import PostLike
from wxc.models.rate_event import RateEvent
from wxc.models.report import Report, ReportReason, ReportTarget
from wxc.models.report_snapshot import ReportSnapshot
from wxc.models.session import Session
from wxc.models.used_username import UsedUsername
from wxc.models.user import User

__all__ = [
    "NOTICE_KINDS",
    "AuditEvent",
    "AuditKind",
    "Base",
    "Block",
    "Comment",
    "CommentLike",
    "Exchange",
    "ExchangeConfirmation",
    "ExchangeRate",
    "Follow",
    "IdempotencyKey",
    "MailKind",
    "MailState",
    "MailToken",
    "Mute",
    "Notification",
    "NotificationType",
    "OutboxMail",
    "Post",
    "PostLike",
    "RateEvent",
    "Report",
    "ReportReason",
    "ReportSnapshot",
    "ReportTarget",
    "RowId",
    "Session",
    "UsedUsername",
    "User",
    "columns",
]
