"""Exported follows, blocks and mutes."""

from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer


@answer({"username": "kenji"})
class ExportedPerson(TypedDict):
    """Somebody you have to do with."""

    user_id: IdText
    """Who it is."""
    username: str | None
    """Null for who is not there for you."""
    created_at: TimeText
