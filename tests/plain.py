"""Answers that no model has made are held against their models, in every test."""

import pytest
from fastapi import Response

from wxc.core.plain import Plain
from wxc.http.compiled_route import CompiledRoute


def hold_against_models(patch: pytest.MonkeyPatch) -> None:
    """Fail a compiled route whose `Plain` answer is not, byte for byte, its model's."""
    respond = CompiledRoute._response

    def respond_truly(route: CompiledRoute, content: object) -> Response:
        response = respond(route, content)
        if isinstance(content, Plain):
            assert response.body == route._serialise(content)
        return response

    patch.setattr(CompiledRoute, "_response", respond_truly)
