"""How every process logs: JSON lines on stderr. A line names routes, ids and kinds, never what somebody wrote.

A line that cannot be written, because the disk is full or nobody reads any more, is lost; the request that it tells of
is not.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from io import TextIOBase
from typing import TextIO, cast

import structlog


class Forgiving(TextIOBase):
    """Writes to another stream and does not mind when that fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        """Write, or lose, a line."""
        with suppress(OSError, ValueError):
            self._stream.write(line)
        return len(line)

    def flush(self) -> None:
        """Hand on what was written, or lose it."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure(level: str) -> None:
    """JSON lines for our own log; warnings of the libraries in plain words."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", Forgiving(sys.stderr))),
    )
