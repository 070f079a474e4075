#!/bin/sh
# Rails: see ../steps.sh for the arguments.
set -eu
. "$(dirname "$0")/../steps.sh"

step "install"
# Debian has Rails 6.1; without its packages of JavaScript. Not into the work folder: apt has one place.
if ! ruby -e 'require "rails"; require "active_storage/engine"; require "pg"; require "sqlite3"' 2>/dev/null; then
    apt-get -q update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        ruby rake ruby-railties ruby-activerecord ruby-activestorage ruby-sqlite3 ruby-pg >/dev/null
fi
ruby -e 'require "rails"; puts "Rails #{Rails.version}"'
copy_app
make_database rails
# Its own variable would win over database.yml.
target_url=$DATABASE_URL
unset DATABASE_URL

step "the application on SQLite: two migrations, and those of Active Storage"
rake -s active_storage:install >/dev/null
rake -s db:migrate >/dev/null
ruby check.rb fill

step "the application's first start on PostgreSQL"
RAILS_ENV=production rake -s db:migrate >/dev/null
[ -z "$capture" ] || DATABASE_URL=$target_url capture_and_end rails

DATABASE_URL=$target_url transfer rails

step "every object is the same through Active Record"
ruby check.rb objects "$work/old.txt"
RAILS_ENV=production ruby check.rb objects "$work/new.txt"
diff "$work/old.txt" "$work/new.txt" || fail "objects differ"
step "new rows in every table"
RAILS_ENV=production ruby check.rb insert
step "the next migration alters loaded tables, adds a column, indexes, a key and a constraint"
cp later/*.rb migrate/
RAILS_ENV=production rake -s db:migrate >/dev/null
RAILS_ENV=production rake -s db:abort_if_pending_migrations
step "rails holds"
