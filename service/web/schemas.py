"""The shapes at the edge: one In and one Out per resource. No queries, no current user.

`Out` schemas document answers in OpenAPI; threads are written by msgspec, and a test loads those bytes through the
schemas here. `In` schemas take what the contract names and nothing else.
"""

from __future__ import annotations

from typing import ClassVar

from marshmallow import EXCLUDE, INCLUDE, Schema, fields, validate

from service.web.strict_fields import (
    ID,
    KEY,
    SITE_ID,
    Pattern,
    PlainQuery,
    QueryInteger,
    StrictBoolean,
    StrictInteger,
    StrictSchema,
)


class NodeField(fields.Raw):
    """A node of rendered text: a string, or `{"t": tag, "c": [nodes], "href"?: address}`."""


# ---- readers ------------------------------------------------------------------------------------------------------


class TokenIn(StrictSchema):
    """A guest's name, a host's assertion or a renewal secret, for a commenter token."""

    site = fields.String(required=True, validate=SITE_ID, metadata={"example": "courier"})
    name = fields.String(validate=validate.Length(max=200), metadata={"example": "Ada Berg"})
    assertion = fields.String(validate=validate.Length(max=8_192))
    renewal = fields.String(validate=validate.Length(max=200))
    altcha = fields.String(
        validate=validate.Length(max=2_048),
        metadata={"description": "The solution of a `proof-needed` problem's challenge, as ALTCHA's clients write it"},
    )


class AuthorOut(StrictSchema):
    """An author as everybody may know them."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    verified = fields.Boolean(required=True)
    badge = fields.String(required=True, allow_none=True)


class TokenOut(StrictSchema):
    """A commenter token and what renews it."""

    token = fields.String(required=True)
    expires_at = fields.String(required=True)
    renewal = fields.String(required=True, allow_none=True)
    author = fields.Nested(AuthorOut, required=True)


class PlaceIn(StrictSchema):
    """The article that a comment is about, as the page says."""

    key = fields.String(required=True, validate=KEY, metadata={"example": "2026/05/trams"})
    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2_000),
        metadata={"example": "https://news.example/2026/05/trams"},
    )
    title = fields.String(load_default="", validate=validate.Length(max=300))


class CommentIn(StrictSchema):
    """A new comment."""

    site = fields.String(required=True, validate=SITE_ID, metadata={"example": "courier"})
    article = fields.Nested(PlaceIn, required=True)
    parent = fields.String(load_default=None, allow_none=True, validate=ID)
    text = fields.String(required=True, metadata={"example": "The new bridge saves me twenty minutes each morning."})
    nudge = StrictBoolean(load_default=False)
    nudge_token = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2_048))


class EditIn(StrictSchema):
    """A new text for one's own comment, written while looking at `version`."""

    text = fields.String(required=True, metadata={"example": "The new bridge saves me ten minutes each morning."})
    version = StrictInteger(required=True, validate=validate.Range(1, 1_000_000), metadata={"example": 1})


class IdempotencyHeaders(Schema):
    """The key under which a comment is made at most once."""

    key = fields.String(data_key="Idempotency-Key", load_default=None, validate=Pattern("^[!-~]{1,200}$"))


class ThreadQuery(Schema):
    """Which page of which thread."""

    site = PlainQuery(required=True, validate=SITE_ID)
    article = PlainQuery(required=True, validate=KEY)
    sort = PlainQuery(load_default="newest", validate=validate.OneOf(("newest", "oldest", "top")))
    cursor = PlainQuery(load_default=None, validate=validate.Length(max=400))
    limit = QueryInteger(load_default=20, validate=validate.Range(1, 100))


class FeedQuery(Schema):
    """Whose latest comments: a site's, or those of one article."""

    site = PlainQuery(required=True, validate=SITE_ID)
    article = PlainQuery(load_default=None, validate=KEY)


class ConversationQuery(Schema):
    """Which conversation a page without script shows, in which language, and which comment its form answers."""

    site = PlainQuery(required=True, validate=SITE_ID)
    article = PlainQuery(required=True, validate=KEY)
    url = PlainQuery(load_default="", validate=validate.Length(max=2_000))
    lang = PlainQuery(load_default=None, validate=validate.Length(max=35))
    cursor = PlainQuery(load_default=None, validate=validate.Length(max=400))
    parent = PlainQuery(load_default=None, validate=ID)
    below = PlainQuery(load_default=None, validate=ID)
    receipt = PlainQuery(load_default=None, validate=validate.Length(max=2_048))


class PlainFormIn(Schema):
    """What the form without script sends. `once` is the secret of one rendered form, under which it counts once."""

    class Meta:
        """marshmallow's options."""

        unknown = EXCLUDE

    name = fields.String(load_default="")
    text = fields.String(load_default="")
    parent = fields.String(load_default="", validate=Pattern("^([0-9a-f]{24})?$", error="Not an id."))
    once = fields.String(load_default="", validate=Pattern("^([A-Za-z0-9_-]{32})?$", error="Not a form of ours."))


class PageQuery(Schema):
    """Where a list goes on."""

    cursor = PlainQuery(load_default=None, validate=validate.Length(max=400))
    limit = QueryInteger(load_default=20, validate=validate.Range(1, 100))


class MineQuery(PageQuery):
    """One's own comments, everywhere or on one article."""

    article = PlainQuery(load_default=None, validate=KEY)
    site = PlainQuery(load_default=None, validate=SITE_ID)


class CountsQuery(Schema):
    """Articles to count, by their keys."""

    site = PlainQuery(required=True, validate=SITE_ID)
    article = fields.List(PlainQuery(validate=KEY), required=True, validate=validate.Length(1, 100))


class DiscussedQuery(Schema):
    """Over how many days, and how many articles."""

    site = PlainQuery(required=True, validate=SITE_ID)
    days = QueryInteger(load_default=7, validate=validate.Range(1, 90))
    limit = QueryInteger(load_default=5, validate=validate.Range(1, 20))


# ---- what readers see ---------------------------------------------------------------------------------------------


class RepliesOut(StrictSchema):
    """The replies to one comment."""

    count = fields.Integer(required=True)
    comments = fields.List(fields.Nested(lambda: CommentOut()), required=True)
    next = fields.String(required=True, allow_none=True)


class CommentOut(StrictSchema):
    """One comment as everybody sees it."""

    id = fields.String(required=True)
    article = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    depth = fields.Integer(required=True)
    author = fields.Nested(AuthorOut, required=True, allow_none=True)
    nodes = fields.List(NodeField(), required=True)
    created_at = fields.String(required=True)
    edited_at = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)
    featured = fields.Boolean(required=True)
    gone = fields.String(required=True, allow_none=True)
    reactions = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    permalink = fields.String(required=True)
    replies = fields.Nested(RepliesOut, required=True)


class ReasonOut(StrictSchema):
    """One reason in plain words, with its places in the text as code-point offsets."""

    code = fields.String(required=True)
    sentence = fields.String(required=True)
    spans = fields.List(fields.List(fields.Integer()), required=True)


class MineOut(CommentOut):
    """A comment as its author sees it."""

    status = fields.String(required=True)
    text = fields.String(required=True)
    edit_until = fields.String(required=True, allow_none=True)
    public_version = fields.Integer(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(ReasonOut), required=True)
    mine = fields.List(fields.String(), required=True)


class ArticleHead(StrictSchema):
    """The article above a thread."""

    key = fields.String(required=True)
    url = fields.String(required=True)
    title = fields.String(required=True)
    prompt = fields.String(required=True)
    state = fields.String(required=True)
    moderation = fields.String(required=True)
    count = fields.Integer(required=True)
    version = fields.Integer(required=True)
    reactions = fields.List(fields.String(), required=True)


class ThreadOut(StrictSchema):
    """One page of a thread."""

    article = fields.Nested(ArticleHead, required=True)
    featured = fields.List(fields.Nested(CommentOut), required=True)
    comments = fields.List(fields.Nested(CommentOut), required=True)
    next = fields.String(required=True, allow_none=True)


class RepliesPageOut(StrictSchema):
    """One page of replies."""

    comments = fields.List(fields.Nested(CommentOut), required=True)
    next = fields.String(required=True, allow_none=True)


class MyCommentsOut(StrictSchema):
    """One page of one's own comments."""

    comments = fields.List(fields.Nested(MineOut), required=True)
    next = fields.String(required=True, allow_none=True)


class PermalinkOut(StrictSchema):
    """One comment and the chain that it answers."""

    comment = fields.Nested(CommentOut, required=True)
    context = fields.List(fields.Nested(CommentOut), required=True)


class CountsOut(StrictSchema):
    """Public comments by article key."""

    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class DiscussedArticle(StrictSchema):
    """An article that is being discussed."""

    key = fields.String(required=True)
    url = fields.String(required=True)
    title = fields.String(required=True)
    section = fields.String(required=True)
    count = fields.Integer(required=True)
    last_at = fields.String(required=True, allow_none=True)


class DiscussedOut(StrictSchema):
    """The articles most discussed."""

    articles = fields.List(fields.Nested(DiscussedArticle), required=True)


# ---- taking part --------------------------------------------------------------------------------------------------


class ReactionsOut(StrictSchema):
    """A comment's reactions and the reader's own."""

    reactions = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    mine = fields.List(fields.String(), required=True)


class ReportIn(StrictSchema):
    """A report: by the house rules in two clicks, or by law with who, why and in good faith."""

    REASONS: ClassVar = ("abuse", "spam", "off-topic", "personal", "false", "other", "illegal")

    reason = fields.String(required=True, validate=validate.OneOf(REASONS), metadata={"example": "spam"})
    kind = fields.String(load_default="rules", validate=validate.OneOf(("rules", "law")))
    note = fields.String(
        load_default="",
        validate=validate.Length(max=2_000),
        metadata={"example": "The same text stands under three articles."},
    )
    details = fields.Dict(
        keys=fields.String(validate=validate.Length(max=40)),
        values=fields.String(validate=validate.Length(max=500)),
        load_default=dict,
        validate=validate.Length(max=10),
    )


class ReportOut(StrictSchema):
    """A report that was taken."""

    id = fields.String(required=True)


# ---- the host's articles -----------------------------------------------------------------------------------------


class ArticleIn(StrictSchema):
    """What a host sets on an article; what it leaves out stays."""

    site = fields.String(required=True, validate=SITE_ID, metadata={"example": "courier"})
    key = fields.String(required=True, validate=KEY, metadata={"example": "2026/05/trams"})
    url = fields.String(
        validate=validate.Length(min=1, max=2_000), metadata={"example": "https://news.example/2026/05/trams"}
    )
    title = fields.String(validate=validate.Length(max=300), metadata={"example": "The new trams"})
    section = fields.String(validate=validate.Length(max=100), metadata={"example": "Local"})
    prompt = fields.String(
        validate=validate.Length(max=300), metadata={"example": "Should the trams have Mill Street to themselves?"}
    )
    state = fields.String(validate=validate.OneOf(("open", "closed")))
    moderation = fields.String(validate=validate.OneOf(("pre", "post")))
    writers = fields.List(
        fields.String(validate=validate.Length(min=1, max=255)),
        validate=validate.Length(max=20),
        metadata={"description": "Who wrote it: the `sub` of the tokens that you sign for them"},
    )


class ArticleOut(StrictSchema):
    """An article as its host sees it."""

    site = fields.String(required=True)
    key = fields.String(required=True)
    url = fields.String(required=True)
    title = fields.String(required=True)
    section = fields.String(required=True)
    prompt = fields.String(required=True)
    state = fields.String(required=True)
    moderation = fields.String(required=True)
    writers = fields.List(fields.String(), required=True)
    count = fields.Integer(required=True)
    confirmed = fields.Boolean(required=True)
    version = fields.Integer(required=True)


class ArticleQuery(Schema):
    """One article by its key."""

    site = PlainQuery(required=True, validate=SITE_ID)
    key = PlainQuery(required=True, validate=KEY)


class PointedOut(StrictSchema):
    """One thing that does not fit: a JSON pointer into the body, `?name` for the query, `!name` for a header."""

    pointer = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemOut(Schema):
    """RFC 9457. A code may bring members of its own; docs/problems.md tells which."""

    class Meta:
        """marshmallow's options."""

        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(PointedOut))
    retry_after = fields.Integer(metadata={"description": "Seconds, as in the header."})
