from fastapi import status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.db.dependencies import Session
from wxc.http.dependencies import QuotaLimiter
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.idempotency.dependencies import MaybeIdempotentRequest
from wxc.moderation.reports import service
from wxc.moderation.reports.errors import TargetNotFound
from wxc.moderation.reports.schemas import Report, ReportCreate

router = make_router("reports")


@router.post(
    "/reports",
    status_code=status.HTTP_201_CREATED,
    summary="Report a user or content",
    responses=error_responses(TargetNotFound),
)
async def write_report(
    report: ReportCreate,
    me: CurrentUser,
    session: Session,
    auth: AuthTools,
    limiter: QuotaLimiter,
    attempt: MaybeIdempotentRequest,
) -> Report:
    """Send the operators a report about a user, post, comment or exchange that you can see.

    The reported user is not notified. If your earlier report of the same target is still open, the
    new report replaces its reason and detail.
    """
    return await service.write_report(session, auth, limiter, me, report, attempt)
