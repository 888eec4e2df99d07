from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Viewer = Literal["member", "anonymous"]


@dataclass(slots=True)
class Traffic:
    """The requests and streams in progress in one process, for its limits and metrics."""

    requests: int = 0
    """Including those whose body is being read."""
    bodies: int = 0
    """Requests whose body is being read."""
    opening: int = 0
    """Requests for a stream or an export whose response has not begun."""
    streams: Counter[Viewer] = field(default_factory=Counter)
    """Slots held by live streams and exports."""
