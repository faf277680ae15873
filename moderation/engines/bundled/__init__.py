"""The shipped engine: one small int8 encoder with a head for each label definition, judged on this machine.

Needs onnxruntime and tokenizers, nothing else: no torch, no network. It scores what it is given, in full, and decides
nothing. How its weights came to be is told in `moderation/training/` and `docs/model-card.md`.
"""

from moderation.engines.bundled.engine import Bundled, open_engine
from moderation.engines.bundled.weights import WeightsError

__all__ = ["Bundled", "WeightsError", "open_engine"]
