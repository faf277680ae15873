"""The widget's files as bytes made once: plain, gzip and brotli, under an address that changes when any of them does.

A page names `/widget/embed.js`, which leads to the same name under the version; all else is asked for relative to that,
so that every file may be kept for ever and no page mixes two versions. Knows files and no requests.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import brotli

HERE = Path(__file__).parent
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in every coding; `""` is none."""

    kind: str
    bodies: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Assets:
    """The widget's files by their names below `/widget/VERSION/`."""

    version: str
    files: dict[str, Asset]


def assets(*, watched: bool = False) -> Assets:
    """The widget, read and compressed once; where it is `watched`, again whenever a file has changed."""
    return _read(max(path.stat().st_mtime_ns for _, path in _paths()) if watched else 0)


@lru_cache(maxsize=1)
def _read(_stamp: int) -> Assets:
    contents = {name: path.read_bytes() for name, path in _paths()}
    digest = hashlib.sha256()
    for name, body in contents.items():
        digest.update(f"{name} {len(body)} ".encode() + body)
    files = {name: Asset(KINDS[Path(name).suffix], _coded(body)) for name, body in contents.items()}
    return Assets(digest.hexdigest()[:16], files)


def _paths() -> Iterator[tuple[str, Path]]:
    for path in sorted((HERE / "static" / "widget").iterdir()):
        if path.suffix in KINDS:
            yield path.name, path
    for path in sorted((HERE / "locales").glob("*.json")):
        yield f"locales/{path.name}", path


def _coded(body: bytes) -> dict[str, bytes]:
    return {"": body, "gzip": gzip.compress(body, 9, mtime=0), "br": brotli.compress(body, quality=11)}
