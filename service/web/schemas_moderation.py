"""The shapes of moderation by API: the queue, a card, verdicts. No queries, no current user."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.review.authors import VERBS
from service.web.schemas import ID, KEY, PlainQuery, QueryInteger, StrictInteger, StrictSchema

CODE = validate.Length(min=1, max=60)
VERSION = validate.Range(1, 1_000_000)


# ---- what hosts send ----------------------------------------------------------------------------------------------


class QueueQuery(Schema):
    """Which view of the queue, in which order, narrowed by what."""

    view = PlainQuery(
        load_default="pending",
        validate=validate.OneOf(("pending", "reported", "edited", "escalated", "sample", "decided")),
    )
    order = PlainQuery(load_default="urgent", validate=validate.OneOf(("urgent", "oldest", "newest")))
    article = PlainQuery(load_default="", validate=KEY)
    section = fields.List(
        PlainQuery(validate=validate.Length(1, 100)), load_default=list, validate=validate.Length(0, 20)
    )
    author = PlainQuery(load_default="", validate=ID)
    code = fields.List(PlainQuery(validate=CODE), load_default=list, validate=validate.Length(0, 20))
    language = PlainQuery(load_default="", validate=validate.Length(1, 20))
    words = PlainQuery(
        load_default="", validate=validate.Length(1, 200), metadata={"description": "Comments with these words."}
    )
    cursor = PlainQuery(load_default="", validate=validate.Length(max=100))
    limit = QueryInteger(load_default=50, validate=validate.Range(1, 200))


class VerdictIn(StrictSchema):
    """A verdict on the version that was read. To reverse a person's verdict, `revision` names the state seen."""

    verdict = fields.String(required=True, validate=validate.OneOf(("approve", "reject")))
    version = StrictInteger(required=True, validate=VERSION)
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=CODE,
        metadata={"description": "A rejection's reason, as the site's policy names it.", "example": "abuse"},
    )
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2_000))
    revision = StrictInteger(load_default=None, allow_none=True, validate=VERSION)


class ActionIn(StrictSchema):
    """Something to be done about an author. A mute needs `days`; warn, mute, ban and premoderate need a `reason`.

    `mark_staff` shows them to readers as one of the newspaper, `unmark` as any reader.
    """

    verb = fields.String(required=True, validate=validate.OneOf(VERBS))
    reason = fields.String(load_default="", validate=validate.Length(max=2_000))
    note = fields.String(load_default="", validate=validate.Length(max=2_000))
    days = StrictInteger(load_default=None, allow_none=True, validate=validate.Range(1, 3_650))


# ---- what hosts get -----------------------------------------------------------------------------------------------


class FindingOut(StrictSchema):
    """One thing that a rule or engine noticed; spans are code points of the text."""

    code = fields.String(required=True)
    source = fields.String(required=True)
    outcome = fields.String(required=True)
    attribute = fields.String(required=True, allow_none=True)
    score = fields.Float(required=True, allow_none=True)
    spans = fields.List(fields.List(fields.Integer()), required=True)


class TopOut(StrictSchema):
    """The gravest finding."""

    code = fields.String(required=True)
    attribute = fields.String(required=True, allow_none=True)
    score = fields.Float(required=True, allow_none=True)
    outcome = fields.String(required=True)


class WaitingOut(StrictSchema):
    """One line of the queue. `version` and `revision` are what a verdict has to name."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True)
    public = fields.Boolean(required=True)
    author = fields.Dict(required=True, metadata={"example": {"id": "9a8b7c6d5e4f30211203f4e5", "name": "Ada"}})
    new_author = fields.Boolean(required=True)
    excerpt = fields.String(required=True)
    article = fields.Dict(required=True, metadata={"example": {"key": "2026/05/trams", "title": "The new trams"}})
    written_at = fields.String(required=True)
    codes = fields.List(fields.String(), required=True)
    band = fields.String(required=True)
    top = fields.Nested(TopOut, required=True, allow_none=True)
    scores = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    reports = fields.Integer(required=True)
    escalated = fields.Boolean(required=True)
    reader = fields.String(
        required=True, allow_none=True, metadata={"description": "Who of the staff has it open now."}
    )


class QueueOut(StrictSchema):
    """A page of the queue."""

    comments = fields.List(fields.Nested(WaitingOut), required=True)
    next = fields.String(required=True, allow_none=True)


class VersionOut(StrictSchema):
    """One text of a comment."""

    number = fields.Integer(required=True)
    status = fields.String(required=True)
    text = fields.String(required=True)
    written_at = fields.String(required=True)


class DecisionOut(StrictSchema):
    """One decision about a comment."""

    id = fields.String(required=True)
    revision = fields.Integer(required=True)
    version = fields.Integer(required=True)
    actor = fields.String(required=True)
    actor_name = fields.String(required=True)
    verb = fields.String(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    at = fields.String(required=True)


class SaidOut(StrictSchema):
    """Another comment beside the one on the card."""

    id = fields.String(required=True)
    author = fields.String(required=True)
    text = fields.String(required=True)
    status = fields.String(required=True)
    written_at = fields.String(required=True)


class RecordOut(StrictSchema):
    """What is known of the author on this site."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    verified = fields.Boolean(required=True)
    standing = fields.String(required=True)
    approved = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    last = fields.List(fields.String(), required=True)
    since = fields.String(required=True)


class ReportedOut(StrictSchema):
    """What one reader reported, and how often such reports of theirs were right."""

    kind = fields.String(required=True)
    reason = fields.String(required=True)
    note = fields.String(required=True)
    at = fields.String(required=True)
    right = fields.Integer(required=True)
    judged = fields.Integer(required=True)


class CardOut(StrictSchema):
    """One comment with everything that a fair decision needs."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    status = fields.String(required=True)
    public_version = fields.Integer(required=True, allow_none=True)
    article = fields.Dict(required=True)
    versions = fields.List(fields.Nested(VersionOut), required=True)
    findings = fields.List(fields.Nested(FindingOut), required=True)
    scores = fields.Dict(required=True)
    chain = fields.List(fields.Nested(SaidOut), required=True)
    around = fields.List(fields.Nested(SaidOut), required=True)
    author = fields.Nested(RecordOut, required=True)
    reports = fields.List(fields.Nested(ReportedOut), required=True)
    decisions = fields.List(fields.Nested(DecisionOut), required=True)


class HistoryOut(StrictSchema):
    """Every decision about a comment, oldest first."""

    decisions = fields.List(fields.Nested(DecisionOut), required=True)


class DoneOut(StrictSchema):
    """What was written; `id` is the decision's, to undo it by."""

    id = fields.String(required=True)
    comment = fields.String(required=True)
    version = fields.Integer(required=True)
    status = fields.String(required=True)
    revision = fields.Integer(required=True)


class QueueCountsOut(StrictSchema):
    """How many stand in each view; `oldest` is the longest wait in seconds."""

    pending = fields.Integer(required=True)
    reported = fields.Integer(required=True)
    edited = fields.Integer(required=True)
    escalated = fields.Integer(required=True)
    sample = fields.Integer(required=True)
    oldest = fields.Integer(required=True)


class NoteOut(StrictSchema):
    """What staff did or wrote about an author."""

    verb = fields.String(required=True)
    reason = fields.String(required=True)
    note = fields.String(required=True)
    by = fields.String(required=True)
    until = fields.String(required=True, allow_none=True)
    at = fields.String(required=True)


class PersonOut(RecordOut):
    """An author with their last comments and what was done about them."""

    muted_until = fields.String(required=True, allow_none=True)
    banned = fields.Boolean(required=True)
    public = fields.Integer(required=True)
    comments = fields.List(fields.Nested(SaidOut), required=True)
    notes = fields.List(fields.Nested(NoteOut), required=True)
