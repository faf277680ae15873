"""What people decided, and what was held at first, is found without reading each comment's judgement

Revision ID: 0010
Revises: 0009

The numbers page asks both of every comment of its days. Most comments are in neither index, so that a post writes to
them only when it is held.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_decision_people": ("actor IN ('moderator', 'host')", ["site_id", "created_at", "comment_id", "actor"]),
    "ix_decision_held": (
        "revision = 1 AND after = 'pending'",
        ["site_id", "created_at", "comment_id", "revision", "after"],
    ),
}


def upgrade() -> None:
    for name, (condition, columns) in INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, "decision", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "decision")
