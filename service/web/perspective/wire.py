"""What clients send, as frozen dataclasses: proto3 JSON read with the slack that its own readers allow.

Accepted: field names in camelCase and snake_case, unknown fields, `null` for any field, one value where a list is
meant, numbers and booleans as strings, enums by name or number. Refused, always with a 400: what is no JSON in UTF-8,
NaN and infinities, half a surrogate pair, more than a hundred levels, a value of the wrong kind. This room scores
nothing, and knows no Flask.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from service.web.perspective import refusals

MAX_DEPTH = 100
MAX_COMMENT_BYTES = 20_480
MAX_CONTEXT_BYTES = 1_048_576
MAX_CONTEXT_ENTRIES = 100
MAX_ATTRIBUTES = 100
MAX_LANGUAGES = 20
MAX_SPANS = 1_000
MAX_TOKEN = 2_048

TEXT_TYPES = ("TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML")
SCORE_TYPES = ("SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW")
SCORED_TYPES = ("SCORE_TYPE_UNSPECIFIED", "PROBABILITY")

Message = Mapping[str, Any]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TextEntry:
    """A text and whether it is HTML."""

    text: str
    is_html: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One requested attribute: the name as it was asked for, and the score below which it is left out."""

    name: str
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Suggested:
    """What somebody says an attribute's score should be, for the whole text or for a stretch of it in UTF-16 units."""

    name: str
    value: float
    begin: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What both methods carry beside their own. No field here is ever written to a log."""

    comment: TextEntry
    context: tuple[TextEntry, ...] = ()
    languages: tuple[str, ...] = ()
    community: str = ""
    client_token: str = ""
    do_not_store: bool = False


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """A text to be scored."""

    envelope: Envelope
    wanted: tuple[Wanted, ...]
    span_annotations: bool = False
    drop_unsupported: bool = False


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """A text that somebody labelled."""

    envelope: Envelope
    suggested: tuple[Suggested, ...]


def analyze_request(body: bytes) -> AnalyzeRequest:
    """Read an AnalyzeComment request; raises `Refusal`."""
    message = read(body)
    envelope = _envelope(message)
    asked = _message(message, "requestedAttributes")
    if not asked:
        raise refusals.no_requested_attributes()
    if len(asked) > MAX_ATTRIBUTES:
        raise refusals.malformed(f"At most {MAX_ATTRIBUTES} attributes in one request", "requested_attributes")
    return AnalyzeRequest(
        envelope=envelope,
        wanted=tuple(_wanted(asked, name) for name in asked),
        span_annotations=_boolean(message, "spanAnnotations"),
        drop_unsupported=_boolean(message, "dropUnsupportedAttributes"),
    )


def suggest_request(body: bytes) -> SuggestRequest:
    """Read a SuggestCommentScore request; raises `Refusal`."""
    message = read(body)
    envelope = _envelope(message)
    scores = _message(message, "attributeScores")
    if not scores:
        raise refusals.no_attribute_scores()
    if len(scores) > MAX_ATTRIBUTES:
        raise refusals.malformed(f"At most {MAX_ATTRIBUTES} attributes in one request", "attribute_scores")
    suggested = tuple(label for name in scores for label in _suggested(scores, name))
    if not suggested:
        raise refusals.no_attribute_scores()
    return SuggestRequest(envelope, suggested)


# ---- JSON ------------------------------------------------------------------------------------------------------------


def read(body: bytes) -> Message:
    """The JSON object of a body, bounded in depth, without NaN and without half surrogate pairs; raises `Refusal`."""
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, parse_int=_integer)
    except UnicodeDecodeError:
        raise refusals.malformed("Invalid JSON payload received. The body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise refusals.malformed("Invalid JSON payload received.") from None
    if not isinstance(value, dict):
        raise refusals.malformed("Invalid JSON payload received. Root element must be a message.")
    _inspect(value)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer(digits: str) -> float | int:
    """Whole numbers stay whole up to 2^53; a longer one is only ever read as a float, never as a huge integer."""
    return int(digits) if len(digits) <= 16 else float(digits)


def _inspect(value: Any) -> None:
    """Walk without recursion: depth, and halves of surrogate pairs in keys and texts."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if isinstance(node, str):
                _refuse_half_pairs(node)
            elif isinstance(node, dict):
                below += node.keys()
                below += node.values()
            elif isinstance(node, list):
                below += node
        if not below:
            return
        level = below
    raise refusals.malformed("Invalid JSON payload received. Message too deep.")


def _refuse_half_pairs(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise refusals.malformed("Invalid JSON payload received. A text holds half a surrogate pair.") from None


# ---- fields ----------------------------------------------------------------------------------------------------------


def _envelope(message: Message) -> Envelope:
    comment = _text_entry(_message(message, "comment"), "comment.text")
    if not comment.text:
        raise refusals.comment_empty()
    if len(comment.text.encode()) > MAX_COMMENT_BYTES:
        raise refusals.comment_too_long()
    _token(message, "sessionId")
    return Envelope(
        comment=comment,
        context=_context(_message(message, "context")),
        languages=_languages(message),
        community=_token(message, "communityId"),
        client_token=_token(message, "clientToken"),
        do_not_store=_boolean(message, "doNotStore"),
    )


def _text_entry(entry: Message, where: str) -> TextEntry:
    kind = _enum(entry, "type", TEXT_TYPES)
    if kind not in TEXT_TYPES:
        raise refusals.unknown_text_type()
    return TextEntry(_string(entry, "text", where), kind == "HTML")


def _context(context: Message) -> tuple[TextEntry, ...]:
    entries = _list(context, "entries", "context.entries")
    pair = _message(context, "articleAndParentComment", "context.article_and_parent_comment")
    if entries and pair:
        raise refusals.both_contexts()
    if len(entries) > MAX_CONTEXT_ENTRIES:
        raise refusals.malformed(f"At most {MAX_CONTEXT_ENTRIES} context entries", "context.entries")
    found = [_context_entry(entry, "context.entries") for entry in entries]
    for part in ("article", "parentComment"):
        if _get(pair, part) is not None:
            found.append(_context_entry(_get(pair, part), f"context.article_and_parent_comment.{_snake(part)}"))
    return tuple(found)


def _context_entry(value: Any, where: str) -> TextEntry:
    entry = _text_entry(_as_message(value, where), where)
    if len(entry.text.encode()) > MAX_CONTEXT_BYTES:
        raise refusals.malformed("Context text too long.", where)
    return entry


def _languages(message: Message) -> tuple[str, ...]:
    tags = _list(message, "languages")
    if len(tags) > MAX_LANGUAGES or not all(isinstance(tag, str) and len(tag) <= 35 for tag in tags):
        raise _wrong("languages", "TYPE_STRING")
    return tuple(tag.strip() for tag in tags if tag.strip())


def _wanted(asked: Message, name: str) -> Wanted:
    where = f"requested_attributes[{refusals.quoted(name)}]"
    config = _as_message(asked[name], where)
    kind = _enum(config, "scoreType", SCORE_TYPES)
    if kind not in SCORED_TYPES:
        raise refusals.score_type_unsupported(kind, name)
    return Wanted(name, _number(config, "scoreThreshold", where))


def _suggested(scores: Message, name: str) -> list[Suggested]:
    """The labels of one attribute: its summary score, and those of stretches."""
    where = f"attribute_scores[{refusals.quoted(name)}]"
    attribute = _as_message(scores[name], where)
    found = []
    if _get(attribute, "summaryScore") is not None:
        found.append(Suggested(name, _score(attribute, "summaryScore", where)))
    spans = _list(attribute, "spanScores", where)
    if len(spans) > MAX_SPANS:
        raise refusals.malformed(f"At most {MAX_SPANS} span scores", where)
    for raw in spans:
        span = _as_message(raw, where)
        found.append(Suggested(name, _score(span, "score", where), _index(span, "begin"), _index(span, "end")))
    return found


def _score(message: Message, field: str, where: str) -> float:
    value = _number(_message(message, field, where), "value", where)
    if not 0 <= value <= 1:
        raise refusals.malformed("A score is between 0 and 1", where)
    return value


# ---- kinds of values -------------------------------------------------------------------------------------------------


def _get(message: Message, field: str) -> Any:
    """A field under its camelCase or its snake_case name; None where it is null or absent."""
    value = message.get(field)
    return message.get(_snake(field)) if value is None else value


def _snake(field: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in field)


def _wrong(where: str, kind: str) -> refusals.Refusal:
    return refusals.malformed(f"Invalid value at '{where}' ({kind})", where)


def _message(message: Message, field: str, where: str = "") -> Message:
    return _as_message(_get(message, field), where or _snake(field))


def _as_message(value: Any, where: str) -> Message:
    """A message; null and PHP's empty list are empty ones."""
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise _wrong(where, "message")
    return value


def _list(message: Message, field: str, where: str = "") -> list[Any]:
    """A list; a single value is a list of one, as lenient proto readers take it."""
    value = _get(message, field)
    if value is None or value == {}:
        return []
    return value if isinstance(value, list) else [value]


def _string(message: Message, field: str, where: str) -> str:
    value = _get(message, field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(where, "TYPE_STRING")
    return value


def _token(message: Message, field: str) -> str:
    value = _string(message, field, _snake(field))
    if len(value) > MAX_TOKEN:
        raise refusals.malformed(f"Longer than {MAX_TOKEN} characters: {_snake(field)}", _snake(field))
    return value


def _boolean(message: Message, field: str) -> bool:
    value = _get(message, field)
    if value is None or isinstance(value, bool):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise _wrong(_snake(field), "TYPE_BOOL")


def _enum(message: Message, field: str, names: tuple[str, ...]) -> str:
    """An enum's name; its number is as good. What is neither comes back as it was sent, for the error to name."""
    value = _get(message, field)
    if value is None:
        return names[0]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return value if isinstance(value, str) else "?"


def _number(message: Message, field: str, where: str) -> float:
    return _converted(message, field, where, float, "TYPE_FLOAT")


def _index(message: Message, field: str) -> int | None:
    """A place in a text, in UTF-16 units, where one is given."""
    if _get(message, field) is None:
        return None
    place = _converted(message, field, field, int, "TYPE_INT32")
    if not 0 <= place <= 2**31 - 1:
        raise _wrong(field, "TYPE_INT32")
    return place


def _converted(message: Message, field: str, where: str, kind: Callable[[Any], Value], name: str) -> Value:
    value = _get(message, field)
    if value is None:
        return kind(0)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 40:
        raise _wrong(where, name)
    try:
        converted = kind(value)
    except (ValueError, OverflowError):
        raise _wrong(where, name) from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise _wrong(where, name)
    return converted
