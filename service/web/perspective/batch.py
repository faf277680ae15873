"""Many calls in one request: `multipart/mixed` of `application/http`, read and written as Google's clients do.

A part fails alone. Its `Content-ID`, which one client makes of the whole comment and folds over lines, comes back as
`response-` and the same words, on one line. This room opens and closes envelopes and knows nothing of what is in them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from http import HTTPStatus

from service.web.perspective import refusals

MAX_PARTS = 1_000
MAX_REQUEST_LINE = 8_192
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(r"([A-Z]{1,10}) (\S+)(?: HTTP/[0-9.]+)?")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e\xa0-\xff]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a batch. `method` is empty where the part is no HTTP request."""

    content_id: str
    method: str = ""
    target: str = ""
    headers: Mapping[str, str] | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one part."""

    content_id: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def read(content_type: str, body: bytes) -> list[Part]:
    """The parts of a batch, in order; raises `Refusal` for what is no multipart, has no part or too many."""
    if _NOT_IN_A_HEADER.search(content_type) or len(content_type) > MAX_REQUEST_LINE:
        raise refusals.malformed("The batch has an unusable Content-Type.")
    envelope = BytesParser().parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if envelope.get_content_maintype() != "multipart" or not envelope.get_boundary():
        raise refusals.malformed("A batch is multipart/mixed with a boundary.")
    parts = [part for part in _inner(envelope) if not _is_blank(part)]
    if not parts:
        raise refusals.malformed("The batch has no parts.")
    if len(parts) > MAX_PARTS:
        raise refusals.malformed(f"The batch has more than {MAX_PARTS} parts.")
    return [_part(part) for part in parts]


def _inner(envelope: Message) -> list[Message]:
    payload = envelope.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _is_blank(part: Message) -> bool:
    return not part.keys() and not part.is_multipart() and not str(part.get_payload()).strip()


def _part(part: Message) -> Part:
    content_id = _unfolded(str(part.get("Content-ID", "")))
    raw = None if part.is_multipart() else part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(raw, bytes):
        return Part(content_id)
    head, _, body = _split(raw.lstrip(b"\r\n"))
    first, _, rest = head.partition(b"\n")
    line = _REQUEST_LINE.fullmatch(first.strip().decode("latin-1")[:MAX_REQUEST_LINE])
    if line is None:
        return Part(content_id)
    headers = BytesHeaderParser().parsebytes(rest)
    found = {name.lower(): _unfolded(str(value)) for name, value in headers.items()}
    return Part(content_id, line[1], line[2], found, _cut(body, found.get("content-length", "")))


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    blank = _BLANK_LINE.search(raw)
    return (raw[: blank.start()], b"", raw[blank.end() :]) if blank else (raw, b"", b"")


def _cut(body: bytes, length: str) -> bytes:
    """The body without the line end that stands between it and the next boundary."""
    if length.isascii() and length.isdigit() and len(length) < 10:
        return body[: int(length)]
    return body


def _unfolded(value: str) -> str:
    """A header's value on one line, in signs that a header may hold."""
    return _NOT_IN_A_HEADER.sub("?", re.sub(r"\r?\n(?=[ \t])", "", value)).strip()


def write(answers: Iterable[Answered]) -> tuple[str, bytes]:
    """The Content-Type and the body that carry these answers."""
    boundary = f"batch_{secrets.token_hex(16)}"
    pieces: list[bytes] = []
    for answer in answers:
        pieces.append(f"--{boundary}\r\n".encode())
        pieces.append(_envelope(answer))
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/mixed; boundary={boundary}", b"".join(pieces)


def _envelope(answer: Answered) -> bytes:
    outer = ["Content-Type: application/http"]
    if answer.content_id:
        outer.append(f"Content-ID: {_answered_id(answer.content_id)}")
    inner = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    inner += [f"{name}: {value}" for name, value in answer.headers.items()]
    inner.append(f"Content-Length: {len(answer.body)}")
    head = "\r\n".join([*outer, "", *inner, "", ""]).encode("latin-1")
    return head + answer.body + b"\r\n"


def _answered_id(content_id: str) -> str:
    """`<x>` becomes `<response-x>`, `x` becomes `response-x`."""
    if content_id.startswith("<"):
        return f"<response-{content_id[1:]}"
    return f"response-{content_id}"
