"""Many calls in one request: `multipart/mixed` of `application/http`, read and written as Google's clients do.

A part fails alone. Its `Content-ID`, which one client makes of the whole comment and folds over lines, comes back as
`response-` and the same words, on one line. This room opens and closes envelopes and knows nothing of what is in them.
"""

from __future__ import annotations

import base64
import quopri
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from http import HTTPStatus

from service.web.perspective import refusals

MAX_PARTS = 1_000
MAX_REQUEST_LINE = 8_192
MAX_HEADERS = 100
_BLANK_LINES = (b"\n\n", b"\n\r\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {"base64": base64.b64decode, "quoted-printable": quopri.decodestring}
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
    """The parts of a batch, in order; raises `Refusal` for what is no multipart, has no part or too many.

    Nobody's key was looked at yet, so that this costs little, whatever was sent: searches, and no parsing by lines.
    """
    if _NOT_IN_A_HEADER.search(content_type) or len(content_type) > MAX_REQUEST_LINE:
        raise refusals.malformed("The batch has an unusable Content-Type.")
    envelope = BytesHeaderParser().parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n")
    boundary = envelope.get_boundary()
    if envelope.get_content_maintype() != "multipart" or not boundary:
        raise refusals.malformed("A batch is multipart/mixed with a boundary.")
    parts = [piece for piece in _pieces(body, b"--" + boundary.encode("utf-8", "replace")) if piece.strip()]
    if not parts:
        raise refusals.malformed("The batch has no parts.")
    if len(parts) > MAX_PARTS:
        raise _too_many()
    return [_part(part) for part in parts]


def _pieces(body: bytes, mark: bytes) -> Iterator[bytes]:
    """What stands between the lines that are the mark, each piece with the line end that it begins behind."""
    begin, at, tries = -1, 0 if body.startswith(mark) else _next_line(body, mark, 0), 0
    while at >= 0:
        tries += 1
        if tries > 2 * MAX_PARTS:
            raise _too_many()
        ends = body.find(b"\n", at)
        ends = len(body) if ends < 0 else ends
        rest = body[at + len(mark) : ends].rstrip(b" \t\r")
        if rest in (b"", b"--"):
            if begin >= 0:
                yield body[begin:at].removesuffix(b"\n").removesuffix(b"\r")
            begin = ends
        if rest == b"--":
            return
        at = _next_line(body, mark, ends)
    if begin >= 0:
        yield body[begin:]


def _next_line(body: bytes, mark: bytes, start: int) -> int:
    found = body.find(b"\n" + mark, start)
    return found + 1 if found >= 0 else -1


def _too_many() -> refusals.Refusal:
    return refusals.malformed(f"The batch has more than {MAX_PARTS} parts.")


def _part(piece: bytes) -> Part:
    head, raw = _split(piece)
    outer = _headers(head)
    content_id = outer.get("content-id", "")
    if outer.get("content-type", "").partition(";")[0].strip().lower() != "application/http":
        return Part(content_id)
    head, body = _split(_plain(raw, outer.get("content-transfer-encoding", "")).lstrip(b"\r\n"))
    first, _, rest = head.partition(b"\n")
    line = _REQUEST_LINE.fullmatch(first[: MAX_REQUEST_LINE + 1].strip().decode("latin-1")[:MAX_REQUEST_LINE])
    if line is None:
        return Part(content_id)
    found = _headers(rest)
    return Part(content_id, line[1], line[2], found, _cut(body, found.get("content-length", "")))


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """What stands before the first empty line, and what behind it."""
    found = [(at, len(blank)) for blank in _BLANK_LINES if (at := raw.find(blank)) >= 0]
    if not found:
        return raw, b""
    at, length = min(found)
    return raw[:at], raw[at + length :]


def _headers(head: bytes) -> dict[str, str]:
    """The first so many headers of a part, by their names in small letters; of two with a name, the first."""
    found: dict[str, str] = {}
    for line in _FOLD.sub(b"", head.strip(b"\r\n")).split(b"\n", MAX_HEADERS)[:MAX_HEADERS]:
        name, colon, value = line.partition(b":")
        if not colon:
            break
        found.setdefault(name.decode("latin-1").lower(), _printable(value.decode("latin-1")))
    return found


def _plain(raw: bytes, coding: str) -> bytes:
    """A part's content without its transfer encoding; clients send `binary`, which is none."""
    try:
        return _CODINGS.get(coding.lower(), bytes)(raw)
    except ValueError:
        return raw


def _cut(body: bytes, length: str) -> bytes:
    """The body without the line end that stands between it and the next boundary."""
    if length.isascii() and length.isdigit() and len(length) < 10:
        return body[: int(length)]
    return body


def _printable(value: str) -> str:
    """A header's value in signs that a header may hold."""
    return _NOT_IN_A_HEADER.sub("?", value.strip())


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
