"""check.py fill | compare | insert: what the application does with its databases."""

import datetime as dt
import os
import sys
import uuid
from decimal import Decimal

import sqlalchemy as sa
from models import Base, Color, Label, Log, Owner, Part, engine, part_label
from sqlalchemy.orm import Session

ROWS = int(os.environ["ROWS"])
UTC = dt.timezone.utc
TEXTS = ["", "Ünïcödé 漢字 😀", "it's \"quoted\"\\\n\ttab", "NULL", "[not json", "12", "x" * 400]
DOCS = [None, {}, [], {"b": [1, 2.5, None], "a": {"ü": "\u2028"}}, "text", 5, 0.1, True, "", 10**20]
TOOK = [
    None,
    dt.timedelta(0),
    dt.timedelta(microseconds=-1),
    dt.timedelta(days=-3, hours=5, microseconds=7),
    dt.timedelta(days=1, seconds=2, microseconds=500_000),
    dt.timedelta(days=106_751, hours=4),
]
MOMENTS = [
    dt.datetime(2024, 2, 29, 23, 59, 59, 999_999),
    None,
    dt.datetime(1969, 12, 31, 23, 0),
    dt.datetime(2, 1, 1, 0, 0, 0, 1),
    dt.datetime(9999, 12, 30, 1, 2, 3, 4),
]
PRICES = [None, Decimal("0"), Decimal("0.0001"), Decimal("-12.34"), Decimal("99999999999.9999")]


def of(values, n):
    return values[n % len(values)]


def part(n, parent, owner):
    moment = of(MOMENTS, n)
    return Part(
        parent_id=parent if n % 3 else None,
        owner_id=owner,
        code=f"{n} {of(TEXTS, n)}"[:20],
        words=of([None, *TEXTS], n),
        done=n % 2 == 0,
        maybe=of([None, True, False], n),
        small=of([None, -16_384, 0, 16_383], n),
        big=of([-(2**63), 0, 2**53 + 1, None], n),
        price=of(PRICES, n),
        amount=of([None, Decimal("0.1"), Decimal("-5"), Decimal("12345.6789")], n),
        ratio=of([None, 0.1, 3.0], n),
        exact=of([None, -1e-300, 1.7976931348623157e308, 2.0], n),
        day=of([None, dt.date(1, 1, 1), dt.date(9999, 12, 31)], n),
        at=of([None, dt.time(0), dt.time(23, 59, 59, 999_999)], n),
        made=moment,
        seen=moment and moment.replace(tzinfo=UTC),
        took=of(TOOK, n),
        token=None if n % 4 == 0 else uuid.UUID(int=n if n % 2 else 2**128 - 1 - n),
        color=of([None, *Color], n),
        shade=of([None, "light", "it's"], n),
        plain=of([*Color, None], n),
        doc=of(DOCS, n),
        doc_b=of(DOCS[::-1], n),
        names=of([None, [], ["a,b", "", "ü \"{}\\", "NULL"]], n),
        shades=of([None, [], ["it's", "dark"]], n),
        raw=of([None, b"", b"\x00\xff\x10'", bytes(range(256))], n),
        pickled=of([None, {"at": dt.date(2024, 1, 1)}, (1, 2)], n),
    )


def fill(session, first, count):
    parent, owner = None, None
    for n in range(first, first + count):
        if n % 5 == 1:
            owner = uuid.UUID(int=n * 104_729)
            session.add(Owner(id=owner, name=of(TEXTS, n)[:120]))
            session.flush()
        label = Label(language=of(["de", "en-GB"], n), number=n, text=f"{n} {of(TEXTS, n)}")
        one = part(n, parent, of([owner, None], n))
        one.labels.append(label)
        session.add(one)
        session.flush()
        parent = one.id
        session.add(Log(part_id=one.id, text=of(TEXTS, n)))
    gone = part(first + count + 100_000, None, None)
    session.add(gone)
    session.flush()
    session.delete(gone)
    session.commit()


def objects(session):
    """Every row as the ORM reads it, by its key; the association table by its columns."""
    found = {"part_label": {tuple(row): {} for row in session.execute(sa.select(part_label))}}
    for mapper in Base.registry.mappers:
        rows = session.scalars(sa.select(mapper.class_)).all()
        names = [attribute.key for attribute in mapper.column_attrs]
        found[mapper.local_table.name] = {
            sa.inspect(row).identity: {name: getattr(row, name) for name in names} for row in rows
        }
    return found


def is_number(name, value):
    """SQLite stores a JSON number that stands alone as a number; jsonb writes 1e+20 with all digits."""
    return name.startswith("doc") and isinstance(value, (int, float)) and not isinstance(value, bool)


def compare():
    with Session(engine("sqlite")) as session:
        old = objects(session)
    with Session(engine("postgresql")) as session:
        new = objects(session)
    rows = values = 0
    for table, there in old.items():
        assert there, f"{table} has no rows"
        assert new[table].keys() == there.keys(), f"{table}: other keys"
        for key, row in there.items():
            for name, value in row.items():
                got = new[table][key][name]
                same = got == value and (type(got) is type(value) or is_number(name, value))
                assert same, f"{table}.{name} of {key}: {value!r} is {got!r}"
                values += 1
            rows += 1
    print(f"{len(old)} tables, {rows} rows, {values} values are the same objects")


def insert():
    with Session(engine("postgresql")) as session:
        before = {table: len(rows) for table, rows in objects(session).items()}
        most = max(session.scalars(sa.select(Part.id)))
        fill(session, 5000, 20)
        first = min(session.scalars(sa.select(Part.id).where(Part.id > most)))
        assert first == most + 2, f"{first}: id {most + 1} was given out before"
        after = objects(session)
        for table, count in before.items():
            assert len(after[table]) > count, f"nothing new in {table}"
        long = session.scalars(sa.select(Part).where(Part.took > dt.timedelta(hours=30))).all()
        assert long, "an interval can be asked"
    print(f"new rows in {len(before)} tables; first new id {first}, the largest was {most}")


if sys.argv[1] == "fill":
    with Session(engine("sqlite")) as session:
        fill(session, 1, ROWS)
else:
    {"compare": compare, "insert": insert}[sys.argv[1]]()
