"""New passwords have 8 to 128 code points of any kind and are used as sent."""

import pytest
from pydantic import TypeAdapter, ValidationError

from wxc.accounts.auth.schemas import NewPassword

PASSWORDS: TypeAdapter[str] = TypeAdapter(NewPassword)


@pytest.mark.parametrize("length", [8, 64, 128])
def test_password_may_have_8_to_128_code_points(length: int) -> None:
    assert PASSWORDS.validate_python("é" * length) == "é" * length


@pytest.mark.parametrize("length", [0, 7, 129])
def test_shorter_or_longer_password_is_refused(length: int) -> None:
    with pytest.raises(ValidationError):
        PASSWORDS.validate_python("é" * length)


@pytest.mark.parametrize(
    "password",
    ["aaaaaaaa", "AAAAAAAA", "12345678", "!!!!!!!!", "  spaces  ", "пароль на сто", "🙂" * 8],
)
def test_no_composition_is_required_and_nothing_is_trimmed(password: str) -> None:
    assert PASSWORDS.validate_python(password) == password
