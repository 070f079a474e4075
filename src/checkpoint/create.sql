-- litelift's bookkeeping. It may be dropped when no transfer is to be continued or verified:
-- drop schema litelift cascade;

-- A transfer of one file into one schema.
create table if not exists litelift.run (
    id bigint generated always as identity primary key,
    format integer not null,
    tool text not null,
    source text not null,
    schema text not null,
    state text not null default 'running' check (state in ('running', 'done', 'discarding')),
    fingerprint text not null,
    plan text not null,
    enum_types oid[] not null default '{}',
    started_at timestamptz not null default now(),
    finished_at timestamptz
);

-- A table that the run made, or (made = false) one that it fills; relid tells it from a later one of the
-- same name.
create table if not exists litelift.relation (
    run bigint not null references litelift.run on delete cascade,
    number integer not null,
    source text not null,
    target text not null,
    relid oid not null,
    refused text not null default '[]',
    primary key (run, number)
);

alter table litelift.relation add column if not exists made boolean not null default true;

-- What a run took away from the target's own tables, or switched off, while it fills them: written before
-- it does. restored_at: it was seen to be back as it was. No cascade: a run is not forgotten over it.
create table if not exists litelift.journal (
    run bigint not null references litelift.run,
    number integer not null,
    object text not null,
    schema text not null,
    relation text not null,
    relid oid not null,
    name text not null,
    parent_relid oid,
    definition text not null,
    drop_sql text not null,
    restore_sql text not null,
    validate_sql text,
    orphans_sql text,
    restored_at timestamptz,
    primary key (run, number)
);
-- Schemas of an earlier version have neither the column nor the third state.
alter table litelift.relation add column if not exists refused text not null default '[]';
alter table litelift.run drop constraint if exists run_state_check,
    add constraint run_state_check check (state in ('running', 'done', 'discarding'));

-- A part of a table whose rows are committed: written in their transaction.
create table if not exists litelift.range (
    run bigint not null references litelift.run on delete cascade,
    relation integer not null,
    number integer not null,
    lo bigint,
    hi bigint,
    rows bigint not null,
    rejected bigint not null default 0,
    copy_bytes bigint not null,
    committed_at timestamptz not null default clock_timestamp(),
    primary key (run, relation, number)
);

-- Schemas of format 1 have the table without it.
alter table litelift.range add column if not exists rejected bigint not null default 0;

-- Of a table that had rows already: what became of the rows; null: they were copied.
alter table litelift.range add column if not exists inserted bigint,
    add column if not exists updated bigint,
    add column if not exists kept bigint;

-- Sums of two hashes of each row as the server stores it (verify computes the same), and a hash for each 64 rows
-- or so of the source (sync); hash_version says by which rule. Null: copied by an earlier version.
alter table litelift.range add column if not exists hash_one numeric,
    add column if not exists hash_two numeric,
    add column if not exists leaves bytea,
    add column if not exists hash_version integer;
alter table litelift.range alter column leaves set storage external;

-- A rejected row that was sent later (transfer --only-rejects): written in its transaction.
create table if not exists litelift.resent (
    run bigint not null references litelift.run on delete cascade,
    relation integer not null,
    range integer not null,
    ordinal bigint not null,
    sent_at timestamptz not null default clock_timestamp(),
    primary key (run, relation, range, ordinal)
);

-- A finishing step that has ended: written in the transaction of its statement.
create table if not exists litelift.step (
    run bigint not null references litelift.run on delete cascade,
    number integer not null,
    outcome text not null check (outcome in ('done', 'refused', 'orphans')),
    message text,
    value bigint,
    ended_at timestamptz not null default clock_timestamp(),
    primary key (run, number)
);
