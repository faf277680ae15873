"""The judgement: whether a text may be published, must wait for a person, or is refused, and why.

Pure: no web framework, no database, no network, no clock. This is its only door; what it exports is the contract.
"""

from moderation.engines import Conversion, Engine, EngineUnavailable, convert_engine, open_engine
from moderation.evaluate import Figure, Labelled, PolicyReport, measure_engine, measure_policy, read_labelled
from moderation.language import detect_language
from moderation.model import (
    ArticleFacts,
    AuthorFacts,
    Decision,
    Finding,
    Outcome,
    Span,
    Submission,
    gravest,
)
from moderation.names import NameVerdict, judge_name
from moderation.pipeline import Judge
from moderation.policy import (
    NEVER,
    Policy,
    PolicyError,
    Reason,
    engine_tables,
    load_policy,
    read_overrides,
    read_policy,
)
from moderation.scales import Fit, Scale
from moderation.scales import fit as fit_scale
from moderation.scoring import NoScore, language_of, scorable, score, sentences
from moderation.text import Folded, TextRefused, canonicalise, fold

__all__ = [
    "NEVER",
    "ArticleFacts",
    "AuthorFacts",
    "Conversion",
    "Decision",
    "Engine",
    "EngineUnavailable",
    "Figure",
    "Finding",
    "Fit",
    "Folded",
    "Judge",
    "Labelled",
    "NameVerdict",
    "NoScore",
    "Outcome",
    "Policy",
    "PolicyError",
    "PolicyReport",
    "Reason",
    "Scale",
    "Span",
    "Submission",
    "TextRefused",
    "canonicalise",
    "convert_engine",
    "detect_language",
    "engine_tables",
    "fit_scale",
    "fold",
    "gravest",
    "judge_name",
    "language_of",
    "load_policy",
    "measure_engine",
    "measure_policy",
    "open_engine",
    "read_labelled",
    "read_overrides",
    "read_policy",
    "scorable",
    "score",
    "sentences",
]
