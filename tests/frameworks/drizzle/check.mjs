// check.mjs migrate-sqlite | migrate | fill | compare | insert FIRST: what the application does.
import { createClient } from '@libsql/client'
import { asc, eq, gt, max, sql } from 'drizzle-orm'
import { drizzle as libsql } from 'drizzle-orm/libsql'
import { migrate as migrateLibsql } from 'drizzle-orm/libsql/migrator'
import { drizzle as pg } from 'drizzle-orm/node-postgres'
import { migrate as migratePg } from 'drizzle-orm/node-postgres/migrator'
import { Pool } from 'pg'
import * as postgresql from './now/postgresql.mjs'
import * as sqlite from './now/sqlite.mjs'

const old = libsql(createClient({ url: `file:${process.env.SQLITE_FILE}` }))
const fresh = pg(new Pool())

const TEXTS = ['', 'Ünïcödé 漢字 😀', 'it\'s "quoted"\\\n\ttab', 'NULL', '{"not": "json"', '12']
// No string that is JSON itself, as '7': Drizzle reads it as a number from PostgreSQL.
const JSONS = [null, {}, [], { b: [1, 2.5, null, { ü: '\u2028' }] }, 'text', 5, 0.1, true, '']
const MOMENTS = [null, '2024-02-29T23:59:59.999Z', '1995-12-31T23:00:00.001Z', '2037-12-30T01:02:03.000Z']
const of = (values, n) => values[n % values.length]
const moment = (n) => of(MOMENTS, n) && new Date(of(MOMENTS, n))

async function fill(db, s, first, count) {
  let author, before
  for (let n = first; n < first + count; n++) {
    if (n % 5 === 1) [author] = await db.insert(s.authors).values({ name: of(TEXTS, n) }).returning()
    const [book] = await db.insert(s.books).values({
      title: `${n} ${of(TEXTS, n)}`,
      state: of(['draft', 'is printed'], n),
      authorId: of([author.id, null], n),
      sequelOf: n % 3 && before ? before.id : null,
      notes: of([null, ...TEXTS], n),
      onLoan: n % 2 === 0,
      recommended: of([null, true, false], n),
      copies: of([-(2 ** 31), 0, 2 ** 31 - 1], n),
      visits: of([null, -(2n ** 63n), 2n ** 53n + 1n, 0n], n),
      ratio: of([null, 0.1, -1e-300, 3], n),
      price: of([null, '0', '0.0001', '-12.34', '99999999999.9999'], n),
      details: of(JSONS, n),
      more: of(JSONS, n + 1),
      words: of([null, [], ['a,b', '', 'ü "{}\\', 'NULL']], n),
      scan: of([null, Buffer.from([]), Buffer.from([0, 255, 16, 39])], n),
      seen: moment(n),
      createdAt: new Date(1700000000000 + n * 1000),
    }).returning()
    before = book
    const [tag] = await db.insert(s.tags).values({ label: `${n} ${of(TEXTS, n)}` }).returning()
    await db.insert(s.booksTags).values({ bookId: book.id, tagId: tag.id })
    await db.insert(s.loans).values({ bookId: book.id, until: of(['0001-01-01', '9999-12-31'], n) })
  }
  // An id that was given out once.
  const [gone] = await db.insert(s.tags).values({ label: 'gone' }).returning()
  await db.delete(s.tags).where(eq(s.tags.id, gone.id))
}

const TABLES = ['authors', 'books', 'tags', 'booksTags', 'loans']
const shown = (row) => JSON.stringify(row, (_, inner) =>
  typeof inner === 'bigint' ? `${inner}n` : inner?.type === 'Buffer' ? Buffer.from(inner.data).toString('hex') : inner)

async function objects(db, s) {
  const found = {}
  for (const table of TABLES) found[table] = (await db.select().from(s[table])).map(shown).sort()
  return found
}

async function compare() {
  const [there, here] = [await objects(old, sqlite), await objects(fresh, postgresql)]
  let rows = 0
  for (const table of TABLES) {
    if (there[table].length === 0) throw new Error(`${table} has no rows`)
    there[table].forEach((row, n) => {
      if (row !== here[table][n]) throw new Error(`${table}:\n  ${row} is\n  ${here[table][n]}`)
    })
    if (here[table].length !== there[table].length) throw new Error(`${table}: ${here[table].length} rows`)
    rows += there[table].length
  }
  console.log(`${TABLES.length} tables, ${rows} rows are the same objects`)
}

async function insert() {
  const { tags, books } = postgresql
  const before = await objects(fresh, postgresql)
  const [{ most }] = await fresh.select({ most: max(tags.id) }).from(tags)
  await fill(fresh, postgresql, Number(process.argv[3]), 20)
  const [{ id: first }] = await fresh.select().from(tags).where(gt(tags.id, most)).orderBy(asc(tags.id)).limit(1)
  if (first !== most + 2) throw new Error(`${first}: id ${most + 1} was given out before`)
  const after = await objects(fresh, postgresql)
  for (const table of TABLES) {
    if (after[table].length <= before[table].length) throw new Error(`nothing new in ${table}`)
  }
  for (const asked of [sql`${books.details} @> '{"b": [1]}'`, sql`'NULL' = any (${books.words})`]) {
    if (!(await fresh.$count(books, asked))) throw new Error('jsonb and arrays cannot be asked')
  }
  console.log(`new rows in ${TABLES.length} tables; first new id ${first}, the largest was ${most}`)
}

async function pending() {
  const folder = (await import('./postgresql/meta/_journal.json', { with: { type: 'json' } })).default.entries.length
  const { rows: [{ n }] } = await fresh.execute(sql`select count(*)::int as n from drizzle.__drizzle_migrations`)
  if (n !== folder) throw new Error(`${n} of ${folder} migrations`)
}

const what = {
  'migrate-sqlite': () => migrateLibsql(old, { migrationsFolder: 'sqlite' }),
  migrate: () => migratePg(fresh, { migrationsFolder: 'postgresql' }),
  fill: () => fill(old, sqlite, 1, Number(process.env.ROWS)),
  compare,
  insert,
  pending,
}
await what[process.argv[2]]()
process.exit(0)
