"""`python -m tests.service.moderating URL SECONDS ID…`: moderators at work on one queue, each a thread of this process.

Each takes a free card, decides it under its lease, and says so on a line of its own; they end when no card is free.
The clock goes SECONDS ahead, so that nobody has to wait for a dead colleague's lease to end.
"""

from __future__ import annotations

import random
import sys
import threading
from datetime import UTC, datetime, timedelta

from moderation import load_policy
from service import review
from service.db import Database
from service.errors import CardTaken, StaleVersion, Unavailable
from service.identity.staff import Staff
from service.judges import Judges
from service.review import Ask, Decider, Verdict

POLICY = '[sentences]\ndefault = "A person will read it."\n'
JUDGES = Judges(lambda override: load_policy(POLICY, override), list, 1.0)


def work(db: Database, moderator_id: str, ahead: timedelta) -> None:
    """Decide cards until none is free."""
    who, chance = Staff(moderator_id, moderator_id, moderator_id, {"courier": "moderator"}), random.Random(moderator_id)
    while free := _free(db, who, ahead):
        try:
            _decide(db, who, chance.choice(free), ahead)
        except (CardTaken, StaleVersion):
            print(f"late {moderator_id}", flush=True)
        except Unavailable:
            continue


def _free(db: Database, who: Staff, ahead: timedelta) -> list[str]:
    page = review.queue(db, who, Ask("courier", limit=12), datetime.now(UTC) + ahead)
    everything = page.rows if page.next is None else (*page.rows, *_rest(db, who, page.next, ahead))
    return [row.id for row in everything if row.reader is None]


def _rest(db: Database, who: Staff, after: str, ahead: timedelta) -> list[review.Row]:
    return list(review.queue(db, who, Ask("courier", after=after, limit=200), datetime.now(UTC) + ahead).rows)


def _decide(db: Database, who: Staff, comment_id: str, ahead: timedelta) -> None:
    grant = review.claim(db, who, comment_id, datetime.now(UTC) + ahead)
    verdict = Verdict(comment_id, grant.version, "approve", token=grant.token)
    review.decide(db, JUDGES, Decider.at_desk(who), verdict, datetime.now(UTC) + ahead)
    print(f"done {who.id} {comment_id}", flush=True)


def main() -> None:
    """All moderators of this process at once."""
    url, seconds, *ids = sys.argv[1:]
    db, ahead = Database(url, pool_size=len(ids)), timedelta(seconds=int(seconds))
    threads = [threading.Thread(target=work, args=(db, one, ahead)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
