"""The JSON schema of ``billing.toml`` says the same as the classes that read it."""

import enum
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.plugin.json_schema import class_schema, settings_schema


class Mode(enum.Enum):
    LOW = "low"
    HIGH = "high"


@attrs.frozen(kw_only=True)
class Example:
    """An example.

    Attributes:
        mode: how it is
            done.
        share: a part.
    """

    mode: Mode
    share: Fraction = Fraction(1)
    days: tuple[date, ...] = ()
    limit: int | None = None
    name: str = "x"


def test_a_class_becomes_an_object_with_its_documentation() -> None:
    schema = class_schema(Example)
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["mode"]
    assert schema["properties"]["mode"] == {"enum": ["low", "high"], "description": "how it is done."}
    assert schema["properties"]["days"] == {"type": "array", "items": {"type": "string", "format": "date"}}
    assert schema["properties"]["limit"] == {"type": "integer"}
    assert schema["properties"]["name"] == {"type": "string", "default": "x"}
    assert schema["properties"]["share"]["type"] == ["string", "integer"]


def test_the_whole_file_has_the_tables_of_the_plugins() -> None:
    schema = settings_schema({"one": Example, "two": None})
    assert schema["required"] == ["deployment"]
    assert set(schema["properties"]) == {
        "deployment",
        "run",
        "holidays",
        "calendars",
        "review",
        "personal_data",
        "answers",
        "deliveries",
        "plugin",
    }
    assert schema["properties"]["plugin"]["properties"]["one"]["required"] == ["mode"]
    assert schema["properties"]["plugin"]["properties"]["two"]["additionalProperties"] is False
    database = schema["properties"]["deployment"]["properties"]["database"]
    assert {option["type"] for option in database["anyOf"]} == {"string", "object"}
