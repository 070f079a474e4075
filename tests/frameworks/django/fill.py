"""Writes rows into every table: fill(database, first, count)."""

import datetime as dt
import uuid
from decimal import Decimal

from django.apps import apps
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from library.models import Author, Authorship, Book, Country, Loan, Tag

UTC = dt.timezone.utc
TEXTS = ["", "Ünïcödé 漢字 😀", "it's \"quoted\"\\\n\ttab", "NULL", "0", "{\"not\": \"json\"", "x" * 190]
JSON = [None, {}, [], {"b": [1, 2.5, None], "a": {"ü": "\u2028"}}, "text", 5, 0.1, True, [[]], "", 10**20]
DURATIONS = [
    None,
    dt.timedelta(0),
    dt.timedelta(microseconds=-1),
    dt.timedelta(days=-3, hours=5, microseconds=7),
    dt.timedelta(days=1, seconds=2, microseconds=500_000),
    dt.timedelta(days=106_751, hours=4),
]
MOMENTS = [
    dt.datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
    dt.datetime(1969, 12, 31, 23, 0, 0, 0, UTC),
    dt.datetime(2, 1, 1, 0, 0, 0, 1, UTC),
    dt.datetime(9999, 12, 30, 1, 2, 3, 4, UTC),
]
PRICES = [None, Decimal("0"), Decimal("0.0001"), Decimal("-12.3400"), Decimal("99999999999.9999"), Decimal("7")]
ADDRESSES = [None, "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.0"]


def of(values, n):
    return values[n % len(values)]


def book(n, before):
    return Book(
        title=f"{n} {of(TEXTS, n)}",
        state=of(Book.State.values, n),
        sequel_of=before if n % 3 else None,
        notes=of(TEXTS, n + 1),
        email=of(["", "reader@example.org"], n),
        homepage=of([None, "", "https://example.org/?a=1&b=ü"], n),
        cover=of([None, f"covers/{n}.png"], n),
        on_loan=n % 2 == 1,
        recommended=of([None, True, False], n),
        copies=of([0, 1, 32_767], n),
        shelf=of([-32_768, 0, 32_767], n),
        pages=of([None, 0, 99_999], n),
        visits=of([0, 2**63 - 1], n),
        score=of([None, -(2**31), 2**31 - 1], n),
        balance=of([-(2**63), 0, 2**53 + 1], n),
        weight=of([None, 0.1, -1e-300, 1.7976931348623157e308, 3.0], n),
        price=of(PRICES, n),
        printed_on=of([None, dt.date(1, 1, 1), dt.date(2000, 2, 29), dt.date(9999, 12, 31)], n),
        opens=of([None, dt.time(0), dt.time(23, 59, 59, 999_999), dt.time(8, 30)], n),
        changed=of(MOMENTS, n),
        reading_time=of(DURATIONS, n),
        isbn_key=None if n % 5 == 0 else uuid.UUID(int=n),
        details=of(JSON, n),
        scan=of([None, b"", b"\x00\xff\x10'", bytes(range(256))], n),
        seen_from=of(ADDRESSES, n),
    )


def fill(db, first, count):
    """Rows first .. first + count of everything, by the ORM."""
    permissions = list(Permission.objects.using(db).order_by("codename")[:20])
    country = Country.objects.using(db).create(
        code=f"{first % 1296 // 36:x}"[-1] + chr(97 + first % 26), name=f"Land {first} ß"
    )
    kind = ContentType.objects.using(db).create(app_label="gone", model=f"table{first}")
    Permission.objects.using(db).create(content_type=kind, codename="see", name="May see Größe")
    authors, before = [], None
    for n in range(first, first + count):
        author = Author(name=of(TEXTS, n)[:120], country=of([None, country], n))
        author.id = uuid.UUID(int=n * 7919 if n % 2 else 2**128 - 1 - n)
        author.save(using=db)
        author.friends.add(*authors[-2:])
        authors.append(author)
        tag = Tag.objects.using(db).create(label=f"schlagwort-ü-{n}")
        before = book(n, before)
        before.save(using=db)
        before.tags.add(tag)
        Authorship.objects.using(db).create(book=before, author=author, position=n % 9)
        group = Group.objects.using(db).create(name=f"Gruppe {n}")
        group.permissions.add(of(permissions, n), of(permissions, n + 3))
        user = User(username=f"reader{n}", is_superuser=n % 7 == 0, last_login=of([None, *MOMENTS], n))
        user.set_unusable_password()
        user.save(using=db)
        user.groups.add(group)
        user.user_permissions.add(of(permissions, n + 5))
        Loan.objects.using(db).create(book=before, reader=user, until=dt.date(2024, 1, 1))
        LogEntry.objects.using(db).create(
            user=user,
            content_type=ContentType.objects.db_manager(db).get_for_model(Book),
            object_id=str(before.pk),
            object_repr=before.title,
            action_flag=ADDITION,
            change_message='[{"added": {}}]',
        )
        data = SessionStore().encode({"_auth_user_id": str(user.pk), "n": n})
        Session.objects.using(db).create(
            session_key=f"session{n:025}", session_data=data, expire_date=of(MOMENTS, n)
        )
    # Ids that were given out once, and are free in no table of SQLite with AUTOINCREMENT.
    for gone in (Tag(label="gone"), Group(name="gone")):
        gone.save(using=db)
        gone.delete(using=db)


def tables():
    """Every model that has a table, those of many-to-many relations too."""
    return [m for m in apps.get_models(include_auto_created=True) if m._meta.managed]
