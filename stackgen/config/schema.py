"""The JSON schemas of the YAML files, by which editors complete and check."""

import ast
import inspect
import json
from functools import cache
from itertools import pairwise
from typing import Any, Literal

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from stackgen.model import Environment, System
from stackgen.model.base import Strict

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_INCLUDE = {
    "description": "Files to begin with, relative to this one; mappings are joined, what stands here wins.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}


def schema(kind: Literal["environment", "system"]) -> str:
    """The JSON schema (draft 2020-12) of a kind of file, as text."""
    model: type[Strict] = Environment if kind == "environment" else System
    return json.dumps(_with_include(outline(model), f"stackgen {kind}"), indent=2, ensure_ascii=False) + "\n"


@cache
def outline(model: type[Strict]) -> JsonSchema:
    """The schema of a model by the keys that users write."""
    return model.model_json_schema(by_alias=True, schema_generator=_Described)


def _with_include(outlined: JsonSchema, title: str) -> JsonSchema:
    """What is included or extended may bring what a file lacks, so nothing is missing where those stand."""
    rest = {key: value for key, value in outlined.items() if key not in {"properties", "required"}}
    properties = {"include": _INCLUDE, **outlined["properties"]}
    bringing = [{"required": [key]} for key in ("include", "extends") if key in properties]
    condition = {
        "if": {"anyOf": bringing} if bringing[1:] else bringing[0],
        "else": {"required": outlined["required"]},
    }
    return {"$schema": DIALECT, "title": title, **rest, "properties": properties, **condition}


class _Described(GenerateJsonSchema):
    """Adds the docstrings below attributes as descriptions, and leaves out titles that say nothing new.

    Pydantic's own `use_attribute_docstrings` reads them whenever the models are imported, which
    doubles the time that takes.
    """

    def model_schema(self, schema: Any) -> JsonSchema:  # noqa: ANN401 - pydantic's core schemas
        described = super().model_schema(schema)
        described.pop("title", None)
        documented = _attribute_docstrings(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            if name in documented:
                described["properties"][_key(name, field)]["description"] = documented[name]
        return described

    def enum_schema(self, schema: Any) -> JsonSchema:  # noqa: ANN401
        described = super().enum_schema(schema)
        described.pop("title", None)
        return described

    def dict_schema(self, schema: Any) -> JsonSchema:  # noqa: ANN401
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401
        return False


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _attribute_docstrings(model: type[Strict]) -> dict[str, str]:
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, Strict) and owner is not Strict:
            body = ast.parse(inspect.getsource(owner)).body[0]
            assert isinstance(body, ast.ClassDef)
            found |= {
                attribute.target.id: inspect.cleandoc(text.value.value)
                for attribute, text in pairwise(body.body)
                if isinstance(attribute, ast.AnnAssign)
                and isinstance(attribute.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found
