#!/bin/sh
# Prisma: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

copy_app
make_database prisma
step "install"
install_npm
export CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1
PRISMA_SCHEMA_ENGINE_BINARY=$work/app/schema-engine.mjs
export PRISMA_SCHEMA_ENGINE_BINARY
chmod +x schema-engine.mjs

# The schema of one version for one provider; its migration, made from the one before. Prisma's
# migrations are for one kind of database, so the two sides have migrations of different names.
version() {
    export PROVIDER="$1"
    mkdir -p "$1/migrations"
    echo "provider = \"$1\"" > "$1/migrations/migration_lock.toml"
    later=$(awk -v version="$2" 'BEGIN { for (n = version + 1; n <= 3; n++) print "// since " n }')
    { [ -z "$later" ] && cat models.prisma || grep -v -F "$later" models.prisma; } |
        sed "s/PROVIDER/$1/" > "$1/new.prisma"
    from="--from-empty"
    [ ! -e "$1/schema.prisma" ] || from="--from-schema $1/schema.prisma"
    mkdir -p "$1/migrations/000$2_$1"
    # shellcheck disable=SC2086
    quiet prisma migrate diff $from --to-schema "$1/new.prisma" --script --output "$1/migrations/000$2_$1/migration.sql"
    mv "$1/new.prisma" "$1/schema.prisma"
    quiet prisma migrate deploy
}

step "the application on SQLite: two migrations"
version sqlite 1
version sqlite 2
step "the application's first start on PostgreSQL"
version postgresql 1
version postgresql 2
for PROVIDER in sqlite postgresql; do quiet prisma generate; done
node check.mjs fill
[ -z "$capture" ] || capture_and_end prisma

transfer prisma

step "every object is the same through the client"
node check.mjs compare
step "new rows of every model"
node check.mjs insert 5001
step "the next migration adds a column, an index and a unique constraint to a loaded table"
version postgresql 3
quiet prisma migrate status
quiet prisma generate
node check.mjs insert 9001
step "prisma holds"
