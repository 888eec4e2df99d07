"""Answers that no model has made are held against their models, in every test."""

import pytest
from fastapi import Response

from wxc.core.direct import _Plan
from wxc.core.plain import Plain


def hold_against_models(patch: pytest.MonkeyPatch) -> None:
    """Have a direct way fail whose `Plain` answer is not, byte for byte, what its model writes."""
    respond = _Plan._response

    def respond_truly(plan: _Plan, content: object) -> Response:
        response = respond(plan, content)
        if isinstance(content, Plain):
            assert response.body == plan._serialised(content)
        return response

    patch.setattr(_Plan, "_response", respond_truly)
