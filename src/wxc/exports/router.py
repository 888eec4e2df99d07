"""Exporting one's data."""

from typing import Any

from fastapi.responses import StreamingResponse

from wxc.auth.dependencies import CurrentUser, ExportSlot
from wxc.core.dependencies import Database
from wxc.core.openapi import headers
from wxc.exports.schemas.export import Export
from wxc.exports.service.exporting import open_export
from wxc.http.routers import make_router

router = make_router("settings", prefix="/settings")
_DISPOSITION = {"Content-Disposition": 'attachment; filename="wxc-social.json"'}
_SAVED: dict[int | str, dict[str, Any]] = {200: {"headers": headers(*_DISPOSITION)}}


@router.get(
    "/export",
    summary="Take your data away",
    response_model=Export,
    responses=_SAVED,
)
async def export_account(
    me: CurrentUser, _slot: ExportSlot, database: Database
) -> StreamingResponse:
    """All that your account owns as one document, to be saved. It is sent while it is read.

    A session may have five exports under way.
    """
    pieces = await open_export(database, me)
    return StreamingResponse(pieces, headers=_DISPOSITION, media_type="application/json")
