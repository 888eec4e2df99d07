from typing import Annotated

from fastapi import Path

# A plain string: malformed tokens get the same refusal as unknown ones.
LinkToken = Annotated[
    str,
    Path(
        description="The token in the mailed link: the part after `#token=`.",
        json_schema_extra={"format": "token"},
        examples=["rJ1uVnnJMB1Kx4IhCLvp6ZtOQ5c3kSPd0wXy7aGfE2M"],
    ),
]
