from typing import Annotated

from fastapi import Path

from wxc.core.ids import Id

PostId = Annotated[Id, Path(description="The id of the post.")]
