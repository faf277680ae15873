"""The shapes of moderation by API: the queue, a card, verdicts. No queries, no current user."""

from __future__ import annotations

from datetime import UTC, datetime

from marshmallow import RAISE, Schema, fields, validate

from service.review.authors import VERBS
from service.triage import BANDS
from service.web.strict_fields import ID, KEY, PlainQuery, QueryInteger, StrictInteger, StrictSchema

CODE = validate.Length(min=1, max=60)
VERSION = validate.Range(1, 1_000_000)
VIEWS = ("pending", "reported", "edited", "escalated", "sample", "decided", "all")
ERA = validate.Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
MOMENT = {"example": "2026-05-04T12:00:00Z"}


# ---- what hosts send ----------------------------------------------------------------------------------------------


class FiltersQuery(Schema):
    """Which view of the queue, narrowed by what; all filters of the desk."""

    view = PlainQuery(load_default="pending", validate=validate.OneOf(VIEWS))
    article = PlainQuery(load_default="", validate=KEY)
    section = fields.List(
        PlainQuery(validate=validate.Length(1, 100)), load_default=list, validate=validate.Length(0, 20)
    )
    author = PlainQuery(load_default="", validate=ID)
    code = fields.List(PlainQuery(validate=CODE), load_default=list, validate=validate.Length(0, 20))
    band = PlainQuery(
        load_default="",
        validate=validate.OneOf(BANDS),
        metadata={"description": "This band or a graver one.", "example": "high"},
    )
    attribute = PlainQuery(load_default="", validate=CODE, metadata={"example": "insult"})
    lowest = fields.Float(load_default=None, validate=validate.Range(0, 1), metadata={"example": 0.6})
    highest = fields.Float(load_default=None, validate=validate.Range(0, 1), metadata={"example": 0.8})
    alike = PlainQuery(
        load_default="", validate=validate.Length(1, 64), metadata={"description": "A fingerprint: the same words."}
    )
    writer = PlainQuery(load_default="", validate=validate.OneOf(("new", "rejected")))
    since = fields.AwareDateTime(load_default=None, validate=ERA, metadata=MOMENT)
    until = fields.AwareDateTime(load_default=None, validate=ERA, metadata=MOMENT)
    language = PlainQuery(load_default="", validate=validate.Length(1, 20), metadata={"example": "en"})
    words = PlainQuery(
        load_default="", validate=validate.Length(1, 200), metadata={"description": "Comments with these words."}
    )


class QueueQuery(FiltersQuery):
    """A page of a view, in which order."""

    order = PlainQuery(load_default="urgent", validate=validate.OneOf(("urgent", "oldest", "newest")))
    cursor = PlainQuery(load_default="", validate=validate.Length(max=100))
    limit = QueryInteger(load_default=50, validate=validate.Range(1, 200))


class Filters(FiltersQuery):
    """The same in a body."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE


class ManyIn(StrictSchema):
    """A verdict on what a preview showed: its filters, its `seen_at`, or of that only `ids`."""

    verdict = fields.String(
        required=True, validate=validate.OneOf(("approve", "reject")), metadata={"example": "reject"}
    )
    reason = fields.String(load_default=None, allow_none=True, validate=CODE, metadata={"example": "spam"})
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2_000))
    seen_at = fields.AwareDateTime(required=True, validate=ERA, metadata=MOMENT)
    filters = fields.Nested(
        Filters, load_default=lambda: Filters().load({}), metadata={"example": {"author": "9a8b7c6d5e4f30211203f4e5"}}
    )
    ids = fields.List(fields.String(validate=ID), load_default=list, validate=validate.Length(max=500))


class EscalationIn(StrictSchema):
    """The version that was read, and a note for the colleague."""

    version = StrictInteger(required=True, validate=VERSION, metadata={"example": 1})
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2_000))


class NumbersQuery(Schema):
    """Of how many days, and the distribution of which score."""

    days = QueryInteger(load_default=14, validate=validate.Range(1, 90))
    attribute = PlainQuery(load_default="", validate=CODE, metadata={"example": "toxicity"})


class VerdictIn(StrictSchema):
    """A verdict on the version that was read. To reverse a person's verdict, `revision` names the state seen."""

    verdict = fields.String(required=True, validate=validate.OneOf(("approve", "reject")))
    version = StrictInteger(required=True, validate=VERSION, metadata={"example": 1})
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
    alike = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Nested(SaidOut)),
        required=True,
        metadata={
            "description": "What else waits: by the same `author`, from the same `network`, with the same `words`."
        },
    )
    reader = fields.String(required=True, allow_none=True, metadata={"description": "Who has it open at the desk now."})


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


class RejectionReasonOut(StrictSchema):
    """Why a comment may be rejected; `finer` has the reasons below it."""

    code = fields.String(required=True, metadata={"example": "abuse"})
    key = fields.String(required=True)
    label = fields.String(required=True)
    sentence = fields.String(required=True)
    finer = fields.List(fields.Dict(), required=True)


class ReasonsOut(StrictSchema):
    """The tree of a site's reasons."""

    reasons = fields.List(fields.Nested(RejectionReasonOut), required=True)


class PreviewOut(StrictSchema):
    """What deciding many at once would touch; `seen_at` is what the verdict has to name."""

    count = fields.Integer(required=True)
    being_read = fields.Integer(required=True)
    sample = fields.List(fields.Dict(), required=True)
    scores = fields.List(fields.Integer(), required=True)
    seen_at = fields.String(required=True)


class BatchOut(StrictSchema):
    """How many were decided and left out; `id` is to take all of it back by."""

    id = fields.String(required=True)
    done = fields.Integer(required=True)
    left_out = fields.Integer(required=True)


class NumbersOut(StrictSchema):
    """Comments a day by outcome, minutes that each has waited, how long decisions take, scores by outcome."""

    since = fields.String(required=True)
    until = fields.String(required=True)
    days = fields.List(fields.Dict(), required=True)
    waits = fields.List(fields.Float(), required=True)
    latency = fields.Dict(required=True)
    scores = fields.Dict(required=True, allow_none=True)
