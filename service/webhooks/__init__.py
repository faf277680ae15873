"""Events to the host site: numbered, fanned out, signed by Standard Webhooks, retried until they arrive.

Nothing here decides about comments; other rooms call `emit` inside their own transaction.
"""

from service.webhooks.events import EVENTS, News, emit, emit_all

__all__ = ["EVENTS", "News", "emit", "emit_all"]
