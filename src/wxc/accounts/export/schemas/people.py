from typing_extensions import TypedDict

from wxc.http.answers import IdText, TimeText, answer


@answer({"username": "kenji"})
class ExportedPerson(TypedDict):
    """A user whom you follow, block or mute, or who follows you."""

    user_id: IdText
    """The id of the user."""
    username: str | None
    """Null if you cannot see this user."""
    created_at: TimeText
