"""The moderator's verbs: read the queue, claim a card, decide, undo, escalate; and what stands in the history.

Everything here is done by somebody with a role on a site; what belongs to another site does not exist for them. Status
changes pass through `lifecycle`; nothing here judges a text or knows a request.
"""

from service.review.authors import Person, Step, act, person
from service.review.bulk import Batch, Preview, Selection, decide_all, preview, told_batch, undo_all
from service.review.card import Card, Record, card
from service.review.decide import Decider, Done, Verdict, decide, escalate, past, undo
from service.review.facets import Facets, facets
from service.review.feature import feature
from service.review.leases import Grant, Holder, claim, release, renew
from service.review.views import VIEWS, Ask, Page, Row, count, counts, places, queue, told

__all__ = [
    "VIEWS",
    "Ask",
    "Batch",
    "Card",
    "Decider",
    "Done",
    "Facets",
    "Grant",
    "Holder",
    "Page",
    "Person",
    "Preview",
    "Record",
    "Row",
    "Selection",
    "Step",
    "Verdict",
    "act",
    "card",
    "claim",
    "count",
    "counts",
    "decide",
    "decide_all",
    "escalate",
    "facets",
    "feature",
    "past",
    "person",
    "places",
    "preview",
    "queue",
    "release",
    "renew",
    "told",
    "told_batch",
    "undo",
    "undo_all",
]
