#!/bin/sh
# Django: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

step "install"
if [ ! -x "$work/venv/bin/django-admin" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -q Django==5.2.19 psycopg==3.3.9 psycopg-binary==3.3.9
fi
PATH=$work/venv/bin:$PATH
export DJANGO_SETTINGS_MODULE=settings PYTHONDONTWRITEBYTECODE=1
copy_app
make_database django

step "the application on SQLite: two migrations"
# In another order than in PostgreSQL, so that content types and permissions get other ids.
for one in "library 0001" auth "library 0002" admin sessions contenttypes; do
    # shellcheck disable=SC2086
    django-admin migrate --pythonpath . -v 0 --database old $one
done
python check.py fill

step "the application's first start on PostgreSQL"
for one in admin auth sessions contenttypes "library 0002"; do
    # shellcheck disable=SC2086
    django-admin migrate --pythonpath . -v 0 $one
done
python check.py seeded
[ -z "$capture" ] || capture_and_end django

transfer django

step "every object is the same through the ORM"
python check.py compare
step "new rows in every table"
python check.py insert
step "the next migration alters a loaded table, adds an index and constraints"
django-admin migrate --pythonpath . -v 0
django-admin migrate --pythonpath . --check
django-admin makemigrations --pythonpath . --check --dry-run
step "django holds"
