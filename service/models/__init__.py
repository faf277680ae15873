"""The tables. No behaviour stands here: what may change, and when, is `lifecycle` and the use cases.

Ids are opaque and unguessable (24 hex digits). Times are UTC. A status belongs to a version: a comment points at its
public version (or none) and at its latest. `Comment.status` repeats the latest version's, for the queue's index.
"""

from service.models.columns import APPROVED, DELETED, PENDING, REJECTED, is_id, new_id
from service.models.comments import (
    Comment,
    CommentVersion,
    Decision,
    Idempotency,
    Label,
    Lease,
    Reaction,
    Report,
    SpentNudge,
    SpentProof,
)
from service.models.hooks import Attempt, Delivery, Endpoint, Event
from service.models.people import (
    ApiKey,
    Author,
    AuthorNote,
    HostKey,
    Moderator,
    Renewal,
    Role,
    SpentAssertion,
    StaffSession,
)
from service.models.sites import Article, PolicyText, Site, SiteCounter

__all__ = [
    "APPROVED",
    "DELETED",
    "PENDING",
    "REJECTED",
    "ApiKey",
    "Article",
    "Attempt",
    "Author",
    "AuthorNote",
    "Comment",
    "CommentVersion",
    "Decision",
    "Delivery",
    "Endpoint",
    "Event",
    "HostKey",
    "Idempotency",
    "Label",
    "Lease",
    "Moderator",
    "PolicyText",
    "Reaction",
    "Renewal",
    "Report",
    "Role",
    "Site",
    "SiteCounter",
    "SpentAssertion",
    "SpentNudge",
    "SpentProof",
    "StaffSession",
    "is_id",
    "new_id",
]
