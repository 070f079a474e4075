#!/bin/sh
# Laravel: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

step "install"
# Debian has Laravel 8.83. Not into the work folder: apt has one place.
if ! php -r 'require "Illuminate/autoload.php"; exit(extension_loaded("pdo_pgsql") && extension_loaded("pdo_sqlite") ? 0 : 1);' 2>/dev/null; then
    apt-get -q update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        php-cli php-sqlite3 php-pgsql php-laravel-framework >/dev/null
fi
copy_app
# What its libraries say of newer versions of PHP is not of interest.
check() {
    php -d error_reporting=0 check.php "$@" || fail "check.php $*"
}
php -d error_reporting=0 -r 'require "Illuminate/autoload.php"; echo "Laravel ", Illuminate\Foundation\Application::VERSION, "\n";'
make_database laravel

step "the application on SQLite: three migrations"
check migrate
check fill

step "the application's first start on PostgreSQL"
(export DB_CONNECTION=pgsql; check migrate)
[ -z "$capture" ] || capture_and_end laravel-8

transfer laravel

step "every object is the same through Eloquent"
check objects "$work/old.txt"
(export DB_CONNECTION=pgsql; check objects "$work/new.txt")
diff "$work/old.txt" "$work/new.txt" || fail "objects differ"
step "new rows in every table"
(export DB_CONNECTION=pgsql; check insert)
step "the next migration alters loaded tables, adds columns, an index and keys"
cp later/*.php migrate/
(export DB_CONNECTION=pgsql; check migrate; check pending)
step "laravel holds"
