#!/bin/sh
# TypeORM: see ../steps.sh for the arguments. SQLite is sql.js, which is no native module.
set -eu
. "$(dirname "$0")/../steps.sh"

copy_app
make_database typeorm
step "install"
install_npm

# The migration of one version for one kind of database, which TypeORM makes by looking at it.
version() {
    export KIND="$1" VERSION="$2"
    quiet typeorm migration:generate -d source.js --outputJs --timestamp "170000000000$2" "$1/Version$2"
    quiet typeorm migration:run -d source.js
}

step "the application on SQLite: two migrations"
version sqljs 1
version sqljs 2
node check.js fill
step "the application's first start on PostgreSQL"
version postgres 1
version postgres 2
[ -z "$capture" ] || capture_and_end typeorm

transfer typeorm

step "every object is the same through TypeORM"
KIND=sqljs node check.js objects "$work/old.txt"
KIND=postgres node check.js objects "$work/new.txt"
diff "$work/old.txt" "$work/new.txt" || fail "objects differ"
step "new rows of every entity"
node check.js insert 5001
step "the next migration alters a column of a loaded table, adds another and a unique index"
version postgres 3
quiet typeorm migration:generate -d source.js --check postgres/Nothing
typeorm migration:show -d source.js | grep -q '\[ \]' && fail "a migration is pending"
node check.js insert 9001
step "typeorm holds"
