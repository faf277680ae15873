"""What a moderator's views hold is counted, and listed, from their own indexes alone

Revision ID: 0008
Revises: 0007

An index that a count can be read from has to hold every column that the view asks about, also those of its condition.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OLD = {
    "ix_comment_reported": ("report_count > 0", ["site_id", "urgency", "id"]),
    "ix_comment_escalated": ("escalated_at IS NOT NULL", ["site_id", "urgency", "id"]),
    "ix_comment_sampled": ("sampled", ["site_id", "created_at", "id"]),
}
NEW = {
    "ix_comment_reported": ("report_count > 0", ["site_id", "urgency", "id", "status", "report_count"]),
    "ix_comment_escalated": ("escalated_at IS NOT NULL", ["site_id", "urgency", "id", "status", "escalated_at"]),
    "ix_comment_sampled": ("sampled", ["site_id", "status", "created_at", "id", "sampled"]),
    "ix_comment_edited": ("latest > 1", ["site_id", "status", "urgency", "id", "latest"]),
}


def upgrade() -> None:
    _replace(OLD, NEW)
    op.drop_index("ix_decision_actor", "decision")
    op.create_index("ix_decision_actor", "decision", ["actor_id", "site_id", "created_at", "id"])
    op.create_index("ix_comment_weight", "comment", ["site_id", "urgency", "id"])


def downgrade() -> None:
    op.drop_index("ix_comment_weight", "comment")
    _replace(NEW, OLD)
    op.drop_index("ix_decision_actor", "decision")
    op.create_index("ix_decision_actor", "decision", ["actor_id", "created_at"])


def _replace(old: dict[str, tuple[str, list[str]]], new: dict[str, tuple[str, list[str]]]) -> None:
    for name in old:
        op.drop_index(name, "comment")
    for name, (condition, columns) in new.items():
        where = sa.text(condition)
        op.create_index(name, "comment", columns, sqlite_where=where, postgresql_where=where)
