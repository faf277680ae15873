"""/desk: where staff works. Server-made pages that work as plain forms; scripts only make them faster.

Every page but the login needs a signed-in browser; every form carries its session's token; a GET changes nothing. Text
that people wrote is escaped, never sanitised. This package runs no queries: it calls `review` and `staff`.
"""

from service.web.desk import figures, filters, login, many, me, office, people, queue, scoring, verdicts
from service.web.desk.guard import bp

__all__ = ["bp", "figures", "filters", "login", "many", "me", "office", "people", "queue", "scoring", "verdicts"]
