"""A small workshop: the generic types of SQLAlchemy, and some of both databases by `with_variant`."""

import datetime as dt
import decimal
import enum
import os
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# The rest of the second is in libpq's variables: PGHOST, PGPORT, PGUSER, PGPASSWORD.
URLS = {"sqlite": f"sqlite:///{os.environ['SQLITE_FILE']}", "postgresql": "postgresql+psycopg://"}


class Utc(sa.TypeDecorator):
    """Moments in UTC, as SQLAlchemy's documentation has it: SQLite keeps no zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value and value.astimezone(dt.timezone.utc)

    def process_result_value(self, value, dialect):
        if value is None:
            return None
        return value.astimezone(dt.timezone.utc) if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)


class Color(enum.Enum):
    RED = 1
    DARK_BLUE = 2



SHADE = sa.Enum("light", "dark", "it's", name="shade")


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Owner(Base):
    __tablename__ = "owner"
    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    name: Mapped[str] = mapped_column(sa.Unicode(120))


class Label(Base):
    __tablename__ = "Label Text"
    language: Mapped[str] = mapped_column(sa.String(5), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(sa.UnicodeText, unique=True)


part_label = sa.Table(
    "part_label",
    Base.metadata,
    sa.Column("part_id", sa.ForeignKey("part.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("language", sa.String(5), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.ForeignKeyConstraint(["language", "number"], ["Label Text.language", "Label Text.number"]),
)


class Part(Base):
    __tablename__ = "part"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("part.id"), index=True)
    owner_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("owner.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    words: Mapped[str | None] = mapped_column(sa.Text)
    done: Mapped[bool] = mapped_column(sa.Boolean(create_constraint=True, name="done"))
    maybe: Mapped[bool | None]
    small: Mapped[int | None] = mapped_column(sa.SmallInteger)
    big: Mapped[int | None] = mapped_column(sa.BigInteger)
    price: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(15, 4))
    amount: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric)
    ratio: Mapped[float | None] = mapped_column(sa.Float)
    exact: Mapped[float | None] = mapped_column(sa.Double)
    day: Mapped[dt.date | None] = mapped_column(index=True)
    at: Mapped[dt.time | None]
    made: Mapped[dt.datetime | None] = mapped_column(sa.DateTime)
    seen: Mapped[dt.datetime | None] = mapped_column(Utc)
    took: Mapped[dt.timedelta | None] = mapped_column(sa.Interval)
    token: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    color: Mapped[Color | None]
    shade: Mapped[str | None] = mapped_column(SHADE)
    plain: Mapped[Color | None] = mapped_column(sa.Enum(Color, native_enum=False, length=12))
    doc: Mapped[object] = mapped_column(sa.JSON, nullable=True)
    doc_b: Mapped[object] = mapped_column(sa.JSON(none_as_null=True).with_variant(pg.JSONB(none_as_null=True), "postgresql"), nullable=True)
    names: Mapped[list | None] = mapped_column(sa.JSON(none_as_null=True).with_variant(pg.ARRAY(sa.Text), "postgresql"))
    shades: Mapped[list | None] = mapped_column(sa.JSON(none_as_null=True).with_variant(pg.ARRAY(SHADE), "postgresql"))
    raw: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    pickled: Mapped[object] = mapped_column(sa.PickleType, nullable=True)
    doubled: Mapped[int] = mapped_column(sa.Computed("small * 2", persisted=True), nullable=True)
    labels: Mapped[list[Label]] = relationship(secondary=part_label)
    __table_args__ = (
        sa.UniqueConstraint("code", "owner_id"),
        # This one, the index of `day` and the length of `code` are of the third migration.
        sa.UniqueConstraint("token", "id"),
        sa.CheckConstraint("price > -1000000000000", name="price"),
        sa.Index("ix_part_open", "code", sqlite_where=sa.text("maybe"), postgresql_where=sa.text("maybe")),
        {"sqlite_autoincrement": True},
    )


class Log(Base):
    """The table of the second migration; the numbers of a sequence of its own in PostgreSQL."""

    __tablename__ = "log"
    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Sequence("log_numbers"), primary_key=True)
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("part.id", deferrable=True, initially="DEFERRED"))
    text: Mapped[str]


def engine(name):
    return sa.create_engine(URLS[name])
