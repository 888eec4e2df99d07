"""The parts of an answer that is one page of a list."""

from typing import Annotated, TypeVar

from pydantic import Field

Item = TypeVar("Item")

Items = Annotated[
    list[Item],
    Field(description="At most `limit` of them; a page may be shorter and yet not the last."),
]
NextCursor = Annotated[
    str | None,
    Field(description="Brings the next page, of older items; null marks the end of the list."),
]
PrevCursor = Annotated[
    str | None,
    Field(description="Brings what is newer; poll with it. The last two seconds may repeat."),
]
PAGE_EXAMPLE = {
    "next_cursor": "bwGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw",
    "prev_cursor": "bgGYwqaB2m98iwBxTnq4KZGV5hPc0yR7eS2dWmJu9tNgVx",
}
