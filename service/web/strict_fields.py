"""What every shape at the edge is built of: fields that take what JSON and queries say and guess nothing."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

ID_PATTERN = "^[0-9a-f]{24}$"
SITE_ID = validate.Length(min=1, max=40)
KEY = validate.Length(min=1, max=200)
_DIGITS = re.compile(r"[0-9]{1,9}")


class Pattern(validate.Regexp):
    """A pattern for the whole of a text, in the spelling that OpenAPI's readers share: `^…$` and no Python."""

    def __call__(self, value: Any) -> Any:
        """The value, when all of it fits; Python's `$` alone would let a line break pass."""
        if not self.regex.fullmatch(value):
            raise ValidationError(self._format_error(value))
        return value


ID = Pattern(ID_PATTERN, error="Not an id.")


class StrictBoolean(fields.Boolean):
    """JSON's own true and false, nothing that only sounds like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class StrictInteger(fields.Integer):
    """A JSON number without a fraction; not true, not "1"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


class QueryInteger(fields.Integer):
    """ASCII digits in a query; nothing that Unicode also calls a digit."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise self.make_error("invalid")
        return int(value)


class PlainQuery(fields.String):
    """A query value without NUL or characters that no UTF-8 text has."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text or "\ufffd" in text:
            raise ValidationError("Not plain text.")
        return text


class StrictSchema(Schema):
    """Refuses what it does not name."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE
