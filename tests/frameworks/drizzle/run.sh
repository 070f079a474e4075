#!/bin/sh
# Drizzle: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

copy_app
make_database drizzle
step "install"
install_npm
mkdir -p now

# The schema of one version for one dialect, and its migration by drizzle-kit.
version() {
    for later in 2 3; do [ "$later" -le "$2" ] || echo "// since $later"; done > later.txt
    grep -v -F -f later.txt "$1.mjs" > "now/$1.mjs" || cp "$1.mjs" "now/$1.mjs"
    [ -s later.txt ] || cp "$1.mjs" "now/$1.mjs"
    quiet drizzle-kit generate --dialect "$1" --schema "./now/$1.mjs" --out "$1" --name "version$2"
}

step "the application on SQLite: two migrations"
version sqlite 1
version sqlite 2
version postgresql 1
version postgresql 2
node check.mjs migrate-sqlite
node check.mjs fill
step "the application's first start on PostgreSQL"
node check.mjs migrate
[ -z "$capture" ] || capture_and_end drizzle

transfer drizzle

step "every object is the same through Drizzle"
node check.mjs compare
step "new rows in every table"
node check.mjs insert 5001
step "the next migration adds a column and an index to a loaded table"
version postgresql 3
node check.mjs migrate
node check.mjs pending
drizzle-kit generate --dialect postgresql --schema ./now/postgresql.mjs --out postgresql | grep -q "No schema changes"
drizzle-kit check --dialect postgresql --out postgresql >/dev/null
node check.mjs insert 9001
step "drizzle holds"
