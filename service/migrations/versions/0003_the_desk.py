"""What the desk sorts and lists by, and a second step that counts once

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARTIAL = {
    "ix_comment_reported": (["site_id", "urgency", "id"], "report_count > 0"),
    "ix_comment_escalated": (["site_id", "urgency", "id"], "escalated_at IS NOT NULL"),
    "ix_comment_sampled": (["site_id", "created_at", "id"], "sampled"),
}


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("moderator", sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("comment", sa.Column("triage", json, nullable=False, server_default=sa.text("'{}'")))
    op.create_index("ix_comment_urgent", "comment", ["site_id", "status", "urgency", "id"])
    for name, (columns, condition) in PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, "comment", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in (*PARTIAL, "ix_comment_urgent"):
        op.drop_index(name, "comment")
    with op.batch_alter_table("comment") as comment:
        comment.drop_column("triage")
    with op.batch_alter_table("moderator") as moderator:
        moderator.drop_column("totp_step")
