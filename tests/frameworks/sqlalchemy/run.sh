#!/bin/sh
# SQLAlchemy and Alembic: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

step "install"
if [ ! -x "$work/venv/bin/alembic" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -q SQLAlchemy==2.1.9 alembic==1.20.1 psycopg==3.3.9 psycopg-binary==3.3.9
fi
PATH=$work/venv/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1
copy_app
make_database sqlalchemy

step "the application on SQLite: two migrations"
alembic -x db=sqlite upgrade 0002
python check.py fill

step "the application's first start on PostgreSQL"
alembic upgrade 0002
[ -z "$capture" ] || capture_and_end sqlalchemy

transfer sqlalchemy

step "every object is the same through the ORM"
python check.py compare
step "new rows in every table"
python check.py insert
step "the next migration alters a loaded table, adds an index and a constraint"
alembic upgrade head
alembic check
step "sqlalchemy holds"
