"""The errors of the Comment Analyzer API, word for word: clients slice these messages.

Each function here is one row of the table in docs/perspective.md. An error never repeats what a comment says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ANALYZER_ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
SERVICE = "commentanalyzer.googleapis.com"
QUOTA = "Analysis requests (AnalyzeComment)"
QUOTED_LENGTH = 100

Details = list[dict[str, Any]]


@dataclass(eq=False)
class Refusal(Exception):
    """An answer that carries no score. `kind` is what the metrics count it under."""

    code: int
    status: str
    message: str
    kind: str
    details: Details = field(default_factory=list)
    retry_after: int | None = None

    def body(self) -> dict[str, Any]:
        """The error in Google's shape."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}


def _refused(error_type: str, message: str, kind: str = "invalid", extra: Mapping[str, Any] | None = None) -> Refusal:
    detail = {"@type": ANALYZER_ERROR, "errorType": error_type, **(extra or {})}
    return Refusal(400, "INVALID_ARGUMENT", message, kind, [detail])


# ---- what the comment and the attributes are refused for -------------------------------------------------------------


def comment_empty() -> Refusal:
    """Nothing is left to score."""
    return _refused("COMMENT_EMPTY", "Comment must be non-empty.")


def comment_too_long() -> Refusal:
    """More bytes than one comment may have."""
    return _refused("COMMENT_TOO_LONG", "Comment text too long.")


def no_requested_attributes() -> Refusal:
    """No attribute was asked for."""
    return _refused("NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes")


def no_attribute_scores() -> Refusal:
    """A suggestion that suggests nothing."""
    return _refused("INVALID_REQUEST", "Missing attribute_scores")


def unknown_attribute(name: str) -> Refusal:
    """No engine here scores this."""
    return _refused("INVALID_REQUEST", f"Unknown requested attribute: {quoted(name)}")


def score_type_unsupported(score_type: str, attribute: str) -> Refusal:
    """Every score is a probability; no other type exists."""
    message = f"Requested score type {quoted(score_type)} is not supported by attribute {quoted(attribute)}"
    return _refused("INVALID_REQUEST", message)


def unknown_text_type() -> Refusal:
    """Neither plain text nor HTML."""
    return _refused("INVALID_REQUEST", "Unknown text type")


def both_contexts() -> Refusal:
    """The two forms of a context exclude each other."""
    message = "Context can have either entries or article_and_parent_comment, but both fields were populated."
    return _refused("INVALID_REQUEST", message)


# ---- languages -------------------------------------------------------------------------------------------------------


def language_unsupported(attribute: str, languages: Sequence[str]) -> Refusal:
    """The engine behind an attribute does not know one of the languages."""
    named = [quoted(language) for language in languages]
    message = f"Attribute {attribute} does not support request languages: {', '.join(named)}"
    what = {"detectedLanguages": named, "attribute": attribute}
    extra = {"languageNotSupportedByAttributeError": what}
    return _refused("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE", message, "language", extra)


def language_undetected() -> Refusal:
    """No language was named and none could be made out."""
    return _refused("LANGUAGE_DETECTION_FAILED", "Unable to detect language", "language")


# ---- keys, quotas, and what is nobody's fault ------------------------------------------------------------------------


def key_invalid() -> Refusal:
    """No key, or one that does not hold here."""
    metadata = {"service": SERVICE}
    details = [{"@type": ERROR_INFO, "reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": metadata}]
    return Refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "key", details)


def quota_exceeded(consumer: str, retry_after: int, kind: str = "quota") -> Refusal:
    """More calls than the key has in this minute, or (`kind` overload) than the machine bears at once."""
    message = (
        f"Quota exceeded for quota metric '{QUOTA}' and limit '{QUOTA} per minute' "
        f"of service '{SERVICE}' for consumer '{consumer}'."
    )
    metadata = {"service": SERVICE, "consumer": consumer, "quota_metric": QUOTA, "quota_limit": f"{QUOTA} per minute"}
    details: Details = [
        {"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": metadata},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_after}s"},
    ]
    return Refusal(429, "RESOURCE_EXHAUSTED", message, kind, details, retry_after)


def malformed(message: str, where: str = "") -> Refusal:
    """A body that is no such message; `where` is the path of the field."""
    details: Details = []
    if where:
        violation = {"field": where, "description": message}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return Refusal(400, "INVALID_ARGUMENT", message, "invalid", details)


def too_large(message: str = "Request payload size exceeds the limit.") -> Refusal:
    """More bytes than any valid call needs."""
    return Refusal(400, "INVALID_ARGUMENT", message, "invalid")


def not_found() -> Refusal:
    """No such method of this API."""
    return Refusal(404, "NOT_FOUND", "Method not found.", "invalid")


def unavailable() -> Refusal:
    """The engine or the database gave no answer; a repeat is safe."""
    return Refusal(503, "UNAVAILABLE", "The service is currently unavailable.", "failed", retry_after=5)


def internal() -> Refusal:
    """A mistake of ours."""
    return Refusal(500, "INTERNAL", "Internal error encountered.", "failed")


def quoted(name: str) -> str:
    """A name as an error may repeat it: printable and of bounded length."""
    short = name if len(name) <= QUOTED_LENGTH else name[:QUOTED_LENGTH] + "…"
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in short)
