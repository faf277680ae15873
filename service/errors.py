"""What use cases raise. Knows no HTTP: `web/problems.py` holds the one table that turns these into problems.

Every error carries a `detail` that may be shown to the person who caused it. A detail never holds comment text,
credentials or anything about another person.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


class FirstwordError(Exception):
    """Base of all expected errors; `code` is stable and documented in docs/problems.md."""

    code = "error"

    def __init__(self, detail: str, *, pointer: str | None = None, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.extra: Mapping[str, Any] = extra or {}


class NotFound(FirstwordError):
    """There is no such thing, or it is not yours: the two answers are the same."""

    code = "not-found"


class Forbidden(FirstwordError):
    """Known who you are, and you may not."""

    code = "forbidden"


class OriginRefused(Forbidden):
    """The page's origin is not one that the site registered."""

    code = "origin-refused"


class Unauthenticated(FirstwordError):
    """No credential, or one that does not hold (unknown, expired, revoked)."""

    code = "unauthenticated"


class AssertionRefused(Unauthenticated):
    """A host-signed token that cannot be accepted; the detail says which claim."""

    code = "assertion-refused"


class BadCredentials(Unauthenticated):
    """Login and password do not match; says nothing about which."""

    code = "bad-credentials"


class Invalid(FirstwordError):
    """The input has the right shape and a wrong meaning."""

    code = "invalid"


class TextUnfit(Invalid):
    """A text that cannot become a comment: empty, too long, unprintable."""

    code = "text-unfit"


class NameUnfit(Invalid):
    """A display name that cannot be used."""

    code = "name-unfit"


class Conflict(FirstwordError):
    """What you acted on has changed since you saw it."""

    code = "conflict"


class StaleVersion(Conflict):
    """The version named is no longer the latest, or it was decided already; `extra` says by whom, what and when."""

    code = "stale-version"


class CardTaken(Conflict):
    """A card that another moderator reads at the moment, or whose lease is no longer this one's."""

    code = "card-taken"


class ArticleClosed(Conflict):
    """The article takes no comments any more."""

    code = "article-closed"


class EditWindowOver(Conflict):
    """The time in which an author may change a comment has passed."""

    code = "edit-window-over"


class KeyReused(Conflict):
    """An idempotency key that was used with another body."""

    code = "idempotency-key-reused"


class ProofNeeded(Forbidden):
    """A new guest owes a proof of work (`extra` has the challenge), or brought one that does not hold."""

    code = "proof-needed"


class AuthorBarred(Forbidden):
    """The author is banned, or muted until a time that `extra` names."""

    code = "author-barred"


class CommentRejected(FirstwordError):
    """The judgement rejected the comment. It is stored, has an id, and `extra` says why."""

    code = "comment-rejected"


class Nudge(FirstwordError):
    """A hold for tone alone, asked about once before it is stored; `extra` has the spans and a token."""

    code = "nudge"


class Limited(FirstwordError):
    """Too often; `retry_after` says in how many seconds it will be accepted."""

    code = "limited"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, extra={"retry_after": retry_after})
        self.retry_after = retry_after


class Unavailable(FirstwordError):
    """A part that this needs does not answer; nothing was stored and a repeat is safe."""

    code = "unavailable"


def barred_until(detail: str, until: datetime | None) -> AuthorBarred:
    """An `AuthorBarred` that tells the end of a mute, where there is one."""
    return AuthorBarred(detail, extra={"until": until.isoformat()} if until else {})
