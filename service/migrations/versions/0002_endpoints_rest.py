"""Endpoints rest and deliveries are leased by due time

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 15:37:23.489028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_endpoint')
        batch_op.create_index('ix_delivery_log', ['endpoint_id', 'created_at', 'id'], unique=False)
        batch_op.create_index('ix_delivery_ready', ['endpoint_id', 'state', 'due_at'], unique=False)
        batch_op.drop_column('lease_until')

    with op.batch_alter_table('endpoint', schema=None) as batch_op:
        batch_op.add_column(sa.Column('slow', sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column('resting_until', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('endpoint', schema=None) as batch_op:
        batch_op.drop_column('resting_until')
        batch_op.drop_column('slow')

    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index('ix_delivery_ready')
        batch_op.drop_index('ix_delivery_log')
        batch_op.create_index('ix_delivery_endpoint', ['endpoint_id', 'created_at', 'id'], unique=False)
