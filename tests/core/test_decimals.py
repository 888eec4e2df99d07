import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wxc.core.decimals import PATTERN, DecimalText, PositiveDecimalText

decimals: TypeAdapter[Decimal] = TypeAdapter(DecimalText)
positives: TypeAdapter[Decimal] = TypeAdapter(PositiveDecimalText)


@given(st.from_regex(PATTERN.replace("$", r"\Z")))
def test_decimals_keep_their_digits(text: str) -> None:
    written = json.dumps(text)

    assert decimals.dump_json(decimals.validate_json(written)).decode() == written


@pytest.mark.parametrize(
    "source",
    [
        *('""', '"01"', '".5"', '"1."', '"+1"', '"-1"', '"1e3"', '"1E+4"', '"NaN"', '"Infinity"'),
        *(
            '"1234567890123"',
            '"0.12345678901"',
            '" 1"',
            '"1\\n"',
            '"1,5"',
            '"1_0"',
            '"١٢"',
            '"\uff11"',
        ),
        *("1", "1.5", "0", "true", "null", "[]", "{}", "1e3"),
    ],
)
def test_values_other_than_plain_decimal_strings_are_refused(source: str) -> None:
    with pytest.raises(ValidationError):
        decimals.validate_json(source)


def test_zero_is_a_decimal_and_not_positive() -> None:
    for zero in ('"0"', '"0.00"', '"0.0000000000"'):
        assert decimals.dump_json(decimals.validate_json(zero)).decode() == zero
        with pytest.raises(ValidationError, match="greater than zero"):
            positives.validate_json(zero)


def test_input_and_output_schemas_are_the_same_bounded_string() -> None:
    both = {
        json.dumps(decimals.json_schema(mode=mode), sort_keys=True)
        for mode in ("validation", "serialization")
    }

    assert len(both) == 1
    assert json.loads(both.pop()) == {"type": "string", "pattern": PATTERN, "maxLength": 23}
