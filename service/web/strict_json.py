"""The one JSON reader of the house: UTF-8 only, and nothing that two readers could understand differently.

Refused: another charset or a byte order mark, a coded body, duplicate keys, NaN and infinities, lone surrogates, NUL,
deep nesting, integers beyond 2^53. The size is counted by Flask in bytes read, never believed from a header.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from flask import Request
from webargs import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

MAX_DEPTH = 32
MAX_INTEGER = 2**53
MAX_DIGITS = 17


class _Unreadable(ValueError):
    """Why a body was refused, in words for whoever sent it."""


def loads(body: bytes) -> Any:
    """Parse one JSON document; raises `BadRequest` with the reason for everything that is not plain, bounded JSON."""
    try:
        if body.startswith(b"\xef\xbb\xbf"):
            raise _Unreadable("starts with a byte order mark")
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        _inspect(value)
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except RecursionError:
        raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except _Unreadable as why:
        raise BadRequest(f"The body {why}.") from None
    except json.JSONDecodeError as wrong:
        raise BadRequest(f"The body is not JSON (at character {wrong.pos}).") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unreadable("has a key twice in one object")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _Unreadable("has NaN or Infinity, which JSON does not know")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS or abs(int(digits)) > MAX_INTEGER:
        raise _Unreadable("has an integer beyond 2^53")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Unreadable("has a number beyond what a double holds")
    return value


def _inspect(value: Any) -> None:
    """Walk the document without recursion: depth, lone surrogates, NUL, in keys and values alike."""
    todo = [(value, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise _Unreadable(f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, str):
            _inspect_text(node)
        elif isinstance(node, dict):
            todo += [(child, depth + 1) for pair in node.items() for child in pair]
        elif isinstance(node, list):
            todo += [(child, depth + 1) for child in node]


def _inspect_text(text: str) -> None:
    if text.isascii():
        if "\0" in text:
            raise _Unreadable("has a NUL character")
        return
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _Unreadable("has a NUL character or half a surrogate pair")


def read(request: Request) -> Any:
    """The JSON body of a request, or webargs' `missing` where there is none."""
    if request.content_encoding:
        raise UnsupportedMediaType("A compressed body is not accepted; send it plain.")
    body = request.get_data(cache=True)
    if not body:
        return missing
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
    return loads(body)


class StrictParser(FlaskParser):
    """webargs' Flask parser with the strict reader where bodies are read, and 400 for what does not fit a schema."""

    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body, strictly read."""
        return read(req)
