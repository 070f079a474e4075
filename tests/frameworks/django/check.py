"""check.py fill | compare | insert: what the application does with its databases."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.auth.models import Permission, User  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402

from fill import fill, tables  # noqa: E402
from library.models import Book, Tag  # noqa: E402

ROWS = int(os.environ["ROWS"])


def objects(model, db):
    """Every row as the ORM reads it, by its key."""
    fields = [field for field in model._meta.concrete_fields]
    found = {}
    for row in model.objects.using(db) if hasattr(model, "objects") else model._base_manager.using(db):
        values = {}
        for field in fields:
            value = getattr(row, field.attname)
            values[field.attname] = bytes(value) if isinstance(value, memoryview) else value
        found[row.pk] = values
    return found


def compare():
    rows = values = 0
    for model in tables():
        old, new = objects(model, "old"), objects(model, "default")
        assert old, f"{model._meta.db_table} has no rows"
        for key, there in old.items():
            for name, value in there.items():
                got = new.get(key, {}).get(name)
                same = type(got) is type(value) and got == value and repr(got) == repr(value)
                # jsonb has its own order of keys.
                same = same or (isinstance(value, (dict, list)) and got == value)
                assert same, f"{model._meta.db_table}.{name} of {key}: {value!r} is {got!r}"
                values += 1
        assert old.keys() == new.keys(), f"{model._meta.db_table}: {new.keys() - old.keys()} too many"
        rows += len(old)
    print(f"{len(tables())} tables, {rows} rows, {values} values are the same objects")


def insert():
    before = {model: model._base_manager.count() for model in tables()}
    most = Tag.objects.using("old").order_by("-id")[0].id
    tag = Tag.objects.create(label="the first new one")
    assert tag.id > most + 1, f"id {tag.id} was given out before"
    fill("default", 5000, 20)
    for model, count in before.items():
        assert model._base_manager.count() > count, f"nothing new in {model._meta.db_table}"
    # What the ids of content types and permissions are for.
    user = User.objects.filter(is_superuser=False, user_permissions__isnull=False).first()
    permission = user.user_permissions.get()
    name = f"{permission.content_type.app_label}.{permission.codename}"
    assert user.has_perm(name), name
    browser = Client(headers={"host": "localhost"})
    browser.force_login(user)
    assert browser.session["_auth_user_id"] == str(user.pk)
    book = Book.objects.filter(details__a__isnull=False, reading_time__isnull=False).first()
    assert book is not None, "jsonb and interval can be asked"
    print(f"new rows in {len(before)} tables; first new id {tag.id}, the largest was {most}")


def seeded():
    """The two sides differ in the ids that `migrate` gave, or the test would prove nothing."""
    ids = [dict(ContentType.objects.using(db).values_list("model", "id")) for db in ("old", "default")]
    moved = [name for name in ids[1] if ids[0].get(name) != ids[1][name]]
    assert moved, "content types have the same ids on both sides"
    counts = [Permission.objects.using(db).count() for db in ("old", "default")]
    print(f"content types with another id: {', '.join(moved)}; permissions {counts[0]} and {counts[1]}")


if sys.argv[1] == "fill":
    fill("old", 1, ROWS)
else:
    {"compare": compare, "insert": insert, "seeded": seeded}[sys.argv[1]]()
connections.close_all()
