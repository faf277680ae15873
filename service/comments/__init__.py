"""The author's verbs (submit, edit, withdraw, restore) and what readers see: threads, counts, their own comments.

Nothing here decides what is acceptable (`moderation` does) or changes a status by hand (`lifecycle` does).
"""

from service.comments.change import Edit, edit, restore, withdraw
from service.comments.counts import counts, discussed
from service.comments.facts import Written
from service.comments.latest import Latest, latest
from service.comments.mine import Mine, MyAsk, MyComments, Permalink, Reason, one_of_mine, own, permalink_view
from service.comments.submit import Draft, submit
from service.comments.thread import (
    Ask,
    CommentView,
    as_plain,
    moment,
    replies,
    thread,
    thread_version,
)

__all__ = [
    "Ask",
    "CommentView",
    "Draft",
    "Edit",
    "Latest",
    "Mine",
    "MyAsk",
    "MyComments",
    "Permalink",
    "Reason",
    "Written",
    "as_plain",
    "counts",
    "discussed",
    "edit",
    "latest",
    "moment",
    "one_of_mine",
    "own",
    "permalink_view",
    "replies",
    "restore",
    "submit",
    "thread",
    "thread_version",
    "withdraw",
]
