"""The id of a post in a path."""

from typing import Annotated

from fastapi import Path

from wxc.core.ids import Id

PostId = Annotated[Id, Path(description="The post's id.")]
