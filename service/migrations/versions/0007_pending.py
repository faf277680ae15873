"""What waits can be counted without reading what does not

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waits = sa.text("status = 'pending'")
    op.create_index("ix_comment_pending", "comment", ["status"], sqlite_where=waits, postgresql_where=waits)


def downgrade() -> None:
    op.drop_index("ix_comment_pending", "comment")
