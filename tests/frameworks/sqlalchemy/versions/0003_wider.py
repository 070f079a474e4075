"""wider"""

import models
import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade():
    with op.batch_alter_table('part', schema=None) as batch_op:
        batch_op.alter_column('code',
               existing_type=sa.VARCHAR(length=20),
               type_=sa.String(length=40),
               existing_nullable=False)
        batch_op.create_index(batch_op.f('ix_part_day'), ['day'], unique=False)
        batch_op.create_unique_constraint(batch_op.f('uq_part_token'), ['token', 'id'])

