"""How every process logs: JSON lines on stderr. A line names routes, ids and kinds, never what somebody wrote."""

from __future__ import annotations

import logging
import sys

import structlog


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
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
