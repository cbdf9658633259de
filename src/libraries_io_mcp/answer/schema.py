"""Schemas that cost an agent few tokens: no titles, no defaults of null, short forms of what can be null.

Those of the answers lie in a file that `make docs` writes: making them at each start took a twentieth of it.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from libraries_io_mcp.answer.model import Answer

NOT_SAID: Final = frozenset({"title"})
NOT_SAID_OF_ANSWERS: Final = NOT_SAID | {"format"}
"""That a field `..._at` holds a date, its name says; of a parameter `since` it has to be said."""
WRITTEN: Final = Path(__file__).with_name("output_schemas.json")
Schema = dict[str, Any]


def output_schema(answer: type[Answer]) -> Schema:
    """The schema of an answer's structured content: as it is written, or made now if it is not."""
    return _written().get(_name(answer)) or made_schema(answer)


def all_written(answers: Iterable[type[Answer]]) -> str:
    """What has to stand in the file."""
    schemas = {_name(answer): made_schema(answer) for answer in answers}
    return json.dumps(schemas, indent=1, ensure_ascii=False) + "\n"


def made_schema(answer: type[Answer]) -> Schema:
    """The schema of an answer's structured content, made of its model."""
    schema: Schema = _short(answer.model_json_schema(mode="serialization"), _or_null, NOT_SAID_OF_ANSWERS)
    if "provenance" in schema["properties"]:
        # The same in every answer, so the server's instructions say it once.
        schema["properties"]["provenance"] = {"type": "object"}
        schema["$defs"].pop("Provenance")
    # What a part is, its field's name says; what its fields mean is said at them. All fields are always there.
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("description", None)
        part.pop("required", None)
        for field in part["properties"].values():
            field.pop("default", None)
    return schema


def input_schema(schema: Schema) -> Schema:
    """The schema of a tool's parameters. What may be left out need not be null to be so."""
    short: Schema = _short(schema, _not_null, NOT_SAID)
    for name, parameter in short.get("properties", {}).items():
        if "default" in parameter and parameter["default"] is None:
            short["properties"][name] = {word: part for word, part in parameter.items() if word != "default"}
    return short


@cache
def _written() -> dict[str, Schema]:
    written: dict[str, Schema] = json.loads(WRITTEN.read_text(encoding="utf-8"))
    return written


def _name(answer: type[Answer]) -> str:
    return f"{answer.__module__}.{answer.__qualname__}"


def _short(schema: Any, null: Any, not_said: frozenset[str], *, names: bool = False) -> Any:
    """The schema without what says nothing. `names`: its keys are the names of fields, not words of JSON Schema."""
    if isinstance(schema, list):
        return [_short(part, null, not_said) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if names:
        return {name: _short(part, null, not_said) for name, part in schema.items()}
    return null(
        {
            word: _short(part, null, not_said, names=word in {"properties", "$defs"})
            for word, part in schema.items()
            if word not in not_said
        }
    )


def _or_null(schema: Schema) -> Schema:
    """`anyOf` of one plain type and null, as a list of types."""
    kind = _nullable(schema)
    if kind is None or "enum" in kind or not isinstance(kind.get("type"), str):
        return schema
    return {**kind, "type": [kind["type"], "null"], **_without_choice(schema)}


def _not_null(schema: Schema) -> Schema:
    """`anyOf` of one type and null, as that type."""
    kind = _nullable(schema)
    return schema if kind is None else {**kind, **_without_choice(schema)}


def _nullable(schema: Schema) -> Schema | None:
    """What a schema allows beside null, when that is one thing."""
    choices: list[Schema] = schema.get("anyOf", [])
    return choices[0] if len(choices) == 2 and choices[1] == {"type": "null"} else None


def _without_choice(schema: Schema) -> Schema:
    return {word: part for word, part in schema.items() if word != "anyOf"}
