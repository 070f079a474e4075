"""initial"""

import models
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None


def upgrade():
    op.create_table('Label Text',
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('text', sa.UnicodeText(), nullable=False),
    sa.PrimaryKeyConstraint('language', 'number', name=op.f('pk_Label Text')),
    sa.UniqueConstraint('text', name=op.f('uq_Label Text_text'))
    )
    op.create_table('owner',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Unicode(length=120), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_owner'))
    )
    op.create_table('part',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('parent_id', sa.Integer(), nullable=True),
    sa.Column('owner_id', sa.Uuid(), nullable=True),
    sa.Column('code', sa.String(length=20), nullable=False),
    sa.Column('words', sa.Text(), nullable=True),
    sa.Column('done', sa.Boolean(create_constraint=True, name='done'), nullable=False),
    sa.Column('maybe', sa.Boolean(), nullable=True),
    sa.Column('small', sa.SmallInteger(), nullable=True),
    sa.Column('big', sa.BigInteger(), nullable=True),
    sa.Column('price', sa.Numeric(precision=15, scale=4), nullable=True),
    sa.Column('amount', sa.Numeric(), nullable=True),
    sa.Column('ratio', sa.Float(), nullable=True),
    sa.Column('exact', sa.Double(), nullable=True),
    sa.Column('day', sa.Date(), nullable=True),
    sa.Column('at', sa.Time(), nullable=True),
    sa.Column('made', sa.DateTime(), nullable=True),
    sa.Column('seen', models.Utc(timezone=True), nullable=True),
    sa.Column('took', sa.Interval(), nullable=True),
    sa.Column('token', sa.Uuid(), nullable=True),
    sa.Column('color', sa.Enum('RED', 'DARK_BLUE', name='color'), nullable=True),
    sa.Column('shade', sa.Enum('light', 'dark', "it's", name='shade'), nullable=True),
    sa.Column('plain', sa.Enum('RED', 'DARK_BLUE', name='color', native_enum=False, length=12), nullable=True),
    sa.Column('doc', sa.JSON(), nullable=True),
    sa.Column('doc_b', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('names', sa.JSON(none_as_null=True).with_variant(postgresql.ARRAY(sa.Text()), 'postgresql'), nullable=True),
    sa.Column('shades', sa.JSON(none_as_null=True).with_variant(postgresql.ARRAY(sa.Enum('light', 'dark', "it's", name='shade')), 'postgresql'), nullable=True),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('pickled', sa.PickleType(), nullable=True),
    sa.Column('doubled', sa.Integer(), sa.Computed('small * 2', persisted=True), nullable=True),
    sa.CheckConstraint('price > -1000000000000', name=op.f('ck_part_price')),
    sa.ForeignKeyConstraint(['owner_id'], ['owner.id'], name=op.f('fk_part_owner_id_owner')),
    sa.ForeignKeyConstraint(['parent_id'], ['part.id'], name=op.f('fk_part_parent_id_part')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_part')),
    sa.UniqueConstraint('code', 'owner_id', name=op.f('uq_part_code')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('part', schema=None) as batch_op:
        batch_op.create_index('ix_part_open', ['code'], unique=False, sqlite_where=sa.text('maybe'), postgresql_where=sa.text('maybe'))
        batch_op.create_index(batch_op.f('ix_part_parent_id'), ['parent_id'], unique=False)

    op.create_table('part_label',
    sa.Column('part_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['language', 'number'], ['Label Text.language', 'Label Text.number'], name=op.f('fk_part_label_language_Label Text')),
    sa.ForeignKeyConstraint(['part_id'], ['part.id'], name=op.f('fk_part_label_part_id_part'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('part_id', 'language', 'number', name=op.f('pk_part_label'))
    )
