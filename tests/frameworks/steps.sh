# Read by the run.sh of each framework:  run.sh LITELIFT WORK ADMIN_URL
#
#   LITELIFT   the program that is tested
#   WORK       a folder for what is installed and made; what is installed stays from run to run
#   ADMIN_URL  a PostgreSQL database, as a role that may make roles and databases
#
# LITELIFT_CAPTURE=1 writes what the framework made, with few rows, to fixtures/apps/NAME instead of
# checking; python3 writes SQLite as SQL text.

if [ $# -ne 3 ]; then
    echo "usage: $0 LITELIFT WORK ADMIN_URL" >&2
    exit 2
fi
litelift=$1
work=$2
admin_url=$3
capture=${LITELIFT_CAPTURE:-}
# Rows per table, roughly.
ROWS=${capture:+7}
export ROWS="${ROWS:-40}"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"
work=$(cd "$work" && pwd)
export PGCONNECT_TIMEOUT=20

for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/psql" ]; then PATH=$PATH:$folder; fi
done

step() { echo "== $*"; }

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs a command that says much, and shows it only when it fails.
quiet() {
    "$@" > "$work/quiet.log" 2>&1 || {
        cat "$work/quiet.log"
        fail "$*"
    }
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$1" -c "$2"; }

# Copies the application into the work folder, where it may write, without touching what is installed.
copy_app() {
    rm -rf "$work/app"
    mkdir -p "$work/app"
    cp -R "$here/." "$work/app/"
    rm -f "$work/app/run.sh"
    cd "$work/app"
    SQLITE_FILE=$work/app/app.db
    export SQLITE_FILE
}

# Installs what package.json names, beside the application.
install_npm() {
    if ! cmp -s package.json "$work/package.json"; then
        cp package.json "$work/package.json"
        (cd "$work" && npm install --no-audit --no-fund --no-package-lock --loglevel=error) >/dev/null
    fi
    rm -f package.json
    export PATH="$work/node_modules/.bin:$PATH"
}

# An empty database of an ordinary role. Sets and exports DATABASE_URL and, for the frameworks, the
# variables of libpq, which node's pg knows too.
make_database() {
    name=litelift_$1_$$
    host=$(psql -X -A -t "$admin_url" -c '\echo :HOST')
    port=$(psql -X -A -t "$admin_url" -c '\echo :PORT')
    # Left behind by a run that was killed.
    sql "$admin_url" "DROP DATABASE IF EXISTS $name" 2>/dev/null
    sql "$admin_url" "DROP ROLE IF EXISTS $name" 2>/dev/null
    sql "$admin_url" "CREATE ROLE $name LOGIN PASSWORD '$name'"
    sql "$admin_url" "CREATE DATABASE $name OWNER $name"
    trap drop_database EXIT
    trap 'exit 130' INT TERM
    export PGHOST="$host" PGPORT="$port" PGUSER="$name" PGPASSWORD="$name" PGDATABASE="$name"
    case $host in
    /*) DATABASE_URL="postgresql://$name:$name@/$name?host=$host&port=$port" ;;
    *) DATABASE_URL="postgresql://$name:$name@$host:$port/$name" ;;
    esac
    export DATABASE_URL
}

drop_database() {
    sql "$admin_url" "DROP DATABASE IF EXISTS $name WITH (FORCE)" || :
    sql "$admin_url" "DROP ROLE IF EXISTS $name" || :
}

# What the next start of a SQLite application would find, and the empty target, as SQL text.
capture_and_end() {
    folder=$here/../../../fixtures/apps/$1
    mkdir -p "$folder"
    python3 "$here/../capture.py" "$SQLITE_FILE" > "$folder/source.sql"
    pg_dump --inserts --no-owner --no-privileges --no-comments --restrict-key=litelift "$DATABASE_URL" 2>/dev/null > "$work/target.sql" ||
        pg_dump --inserts --no-owner --no-privileges --no-comments "$DATABASE_URL" > "$work/target.sql"
    # Comments, settings of the dumping session and psql's own commands say nothing of the schema.
    sed -e '/^--/d' -e '/^\\/d' -e '/^SET /d' -e '/^SELECT pg_catalog.set_config/d' -e '/^$/d' \
        "$work/target.sql" > "$folder/target.sql"
    step "captured $(wc -l < "$folder/source.sql") and $(wc -l < "$folder/target.sql") lines in fixtures/apps/$1"
    exit 0
}

# The schema as the server has it. litelift keeps its notes in a schema of its own.
schema() { pg_dump --schema-only --exclude-schema=litelift "$DATABASE_URL" | grep -v -e '^.restrict' -e '^.unrestrict'; }

# The transfer itself, as the page says. It leaves the schema as it was.
transfer() {
    step "litelift transfer --data-only --app $1"
    schema > "$work/before.sql"
    "$litelift" transfer --data-only --app "$1" --from "$SQLITE_FILE" > "$work/transfer.log" 2>&1 || {
        cat "$work/transfer.log"
        fail "litelift ended with an error"
    }
    schema > "$work/after.sql"
    diff "$work/before.sql" "$work/after.sql" || fail "the schema is not as it was"
}
