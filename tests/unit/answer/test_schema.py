"""Schemas lose what says nothing, and stay true."""

from datetime import date
from typing import Annotated, Literal

import jsonschema
import pytest
from pydantic import Field, TypeAdapter

from libraries_io_mcp.answer import Answer, Part
from libraries_io_mcp.answer.schema import input_schema, output_schema


class Inner(Part):
    """A part."""

    title: str | None
    kind: Literal["a", "b"] | None


class Outer(Answer):
    """An answer."""

    format: str
    count: Annotated[int | None, Field(description="How many.")] = 0
    parts: tuple[Inner, ...]

    def text(self) -> str:
        """Nothing."""
        return ""


def test_an_answers_schema_is_short_and_holds():
    schema = output_schema(Outer)
    assert set(schema["properties"]) == {"format", "count", "parts"}
    assert schema["properties"]["count"] == {"type": ["integer", "null"], "description": "How many."}
    assert set(schema["$defs"]["Inner"]["properties"]) == {"title", "kind"}
    jsonschema.Draft202012Validator.check_schema(schema)
    good = Outer(format="x", count=None, parts=(Inner(title=None, kind=None), Inner(title="t", kind="a")))
    jsonschema.validate(good.model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"format": "x", "count": "many", "parts": []}, schema)


def test_a_parameter_that_may_be_left_out_need_not_be_null():
    kind = Annotated[Annotated[str, Field(max_length=5)] | None, Field(description="Which.")]
    schema = {"type": "object", "properties": {"kind": TypeAdapter(kind).json_schema() | {"default": None}}}
    short = {"type": "string", "maxLength": 5, "description": "Which."}
    assert input_schema(schema)["properties"]["kind"] == short


def test_a_date_says_that_it_is_one():
    since = Annotated[date | None, Field(description="Not before.")]
    schema = {"type": "object", "properties": {"since": TypeAdapter(since).json_schema() | {"default": None}}}
    assert input_schema(schema)["properties"]["since"] == {
        "type": "string",
        "format": "date",
        "description": "Not before.",
    }
