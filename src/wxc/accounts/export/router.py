from typing import Any

from fastapi.responses import StreamingResponse

from wxc.accounts.auth.dependencies import CurrentUser
from wxc.accounts.export.dependencies import ExportSlot
from wxc.accounts.export.schemas.export import Export
from wxc.accounts.export.service.exporting import open_export
from wxc.db.dependencies import Database
from wxc.http.openapi import headers
from wxc.http.routers import make_router
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("settings", prefix="/settings")
_DISPOSITION = {"Content-Disposition": 'attachment; filename="wxc-social.json"'}
_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"headers": headers(*_DISPOSITION)}}


@router.get(
    "/export",
    summary="Export your data",
    response_model=Export,
    responses=_RESPONSES,
)
async def export_account(
    me: CurrentUser, _slot: ExportSlot, database: Database, actor: CurrentActor
) -> StreamingResponse:
    """Download all data of your account as one JSON document.

    The response is streamed, without a length: the document is complete if its JSON is. You can run
    one export at a time, and five an hour.
    """
    chunks = await open_export(database, me, actor)
    return StreamingResponse(chunks, headers=_DISPOSITION, media_type="application/json")
