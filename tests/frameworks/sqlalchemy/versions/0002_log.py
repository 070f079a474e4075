"""log; adjusted: Alembic leaves a Sequence to whoever writes the migration"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade():
    numbers = None
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(sa.schema.CreateSequence(sa.Sequence('log_numbers')))
        numbers = sa.text("nextval('log_numbers')")
    op.create_table('log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), server_default=numbers, nullable=False),
    sa.Column('part_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['part_id'], ['part.id'], name=op.f('fk_log_part_id_part'), initially='DEFERRED', deferrable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_log'))
    )
