from typing import Annotated, TypeVar

from pydantic import Field

Item = TypeVar("Item")

Items = Annotated[
    list[Item],
    Field(description="At most `limit` items. A shorter page need not be the last one."),
]
NextCursor = Annotated[
    str | None,
    Field(description="The `cursor` of the next page; null at the end of the list."),
]
PrevCursor = Annotated[
    str | None,
    Field(
        description="The `cursor` for newer items; poll with it. Items of the last two seconds may "
        "repeat. Null if the list is empty or does not support polling."
    ),
]
PAGE_EXAMPLE = {
    "next_cursor": "bwGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw",
    "prev_cursor": "bgGYwqaB2m98iwBxTnq4KZGV5hPc0yR7eS2dWmJu9tNgVx",
}
