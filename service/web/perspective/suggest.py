"""SuggestCommentScore: somebody's label for a text, kept for their site with what the model says of the same text.

Names of labels are theirs: Coral sends APPROVED and DELETED, which no engine scores. A request that forbids storing is
answered and not stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service import labels
from service.labels import Suggestion
from service.scoring import Attribute, Scorer, Scores
from service.web.perspective.analyze import Languages, languages_of, text_of
from service.web.perspective.keys import Consumer
from service.web.perspective.texts import Source
from service.web.perspective.wire import SuggestRequest

if TYPE_CHECKING:
    from service.db import Database


@dataclass(frozen=True, slots=True)
class Labelling:
    """A label that can be kept, and the text for the model to be counted against it."""

    request: SuggestRequest
    consumer: Consumer
    texts: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    languages: Languages

    def keep(self, db: Database, scores: Sequence[Scores], now: datetime) -> None:
        """Store the label, with the model's scores where there are any."""
        envelope = self.request.envelope
        if envelope.do_not_store:
            return
        suggestion = Suggestion(
            site_id=self.consumer.site_id,
            api_key_id=self.consumer.key_id,
            community=envelope.community,
            client_token=envelope.client_token,
            text=envelope.comment.text,
            scores={one.name: one.value for one in self.request.suggested if one.begin is None},
            stretches=tuple(
                {"name": labels.storable(one.name), "begin": one.begin, "end": one.end, "value": one.value}
                for one in self.request.suggested
                if one.begin is not None
            ),
            entries=tuple(entry.text for entry in envelope.context),
            languages=envelope.languages,
            model_scores={name: round(value, 6) for one in scores for name, value in one.items()},
            engine=", ".join(sorted({f"{one.engine.name} {one.engine.version}" for one in self.attributes})),
        )
        labels.suggest(db, suggestion, now=now)

    def answer(self) -> dict[str, Any]:
        """The response."""
        body: dict[str, Any] = {"detectedLanguages": self.languages.told}
        if self.languages.asked:
            body["requestedLanguages"] = list(self.languages.asked)
        if self.request.envelope.client_token:
            body["clientToken"] = self.request.envelope.client_token
        return body


def prepare(request: SuggestRequest, consumer: Consumer, scorer: Scorer) -> Labelling:
    """What is to be scored beside a label; raises `Refusal`."""
    comment = request.envelope.comment
    text = text_of(Source(comment.text, is_html=comment.is_html))
    languages = languages_of(request.envelope, text, consumer)
    named = [one.name for one in request.suggested] + [labels.AGAINST]
    found = {attribute.name: attribute for name in named if (attribute := scorer.find(name))}
    attributes = () if request.envelope.do_not_store else tuple(found.values())
    return Labelling(request, consumer, (text,) if attributes else (), attributes, languages)
