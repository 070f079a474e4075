// check.mjs fill | compare | insert FIRST: what the application does with its databases.
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import sqlite from './sqlite/client-sqlite/index.js'
import postgresql from './postgresql/client-postgresql/index.js'

const url = `file:${process.env.SQLITE_FILE}`
const old = new sqlite.PrismaClient({ adapter: new PrismaLibSql({ url }) })
// As Prisma wrote moments before it had driver adapters.
const older = new sqlite.PrismaClient({
  adapter: new PrismaLibSql({ url }, { timestampFormat: 'unixepoch-ms' }),
})
const fresh = new postgresql.PrismaClient({ adapter: new PrismaPg({}) })

const TEXTS = ['', 'Ünïcödé 漢字 😀', 'it\'s "quoted"\\\n\ttab', 'NULL', '{"not": "json"', '12']
const JSONS = [null, {}, [], { b: [1, 2.5, null], a: { ü: '\u2028' } }, 'text', 5, 0.1, true, '', '7']
const MOMENTS = [null, '2024-02-29T23:59:59.999Z', '1969-12-31T23:00:00.001Z', '9999-12-30T01:02:03.000Z', '1970-01-01T00:00:00.000Z']
const PRICES = [null, '0', '0.0001', '-12.34', '99999999999.9999']
const of = (values, n) => values[n % values.length]
const moment = (n) => of(MOMENTS, n) && new Date(of(MOMENTS, n))

async function fill(all, Prisma, first, count) {
  let author, before
  for (let n = first; n < first + count; n++) {
    const client = of(all, n)
    if (n % 5 === 1) {
      author = await client.author.create({
        data: { name: of(TEXTS, n), born: moment(n), profile: { create: { bio: of([null, ...TEXTS], n) } } },
      })
    }
    const details = of(JSONS, n)
    before = await client.book.create({
      data: {
        title: `${n} ${of(TEXTS, n)}`,
        state: of(['DRAFT', 'PRINTED'], n),
        authorId: of([author.id, null], n),
        sequelOfId: n % 3 && before ? before.id : null,
        tags: { create: { label: `${n} ${of(TEXTS, n)}` } },
        notes: of([null, ...TEXTS], n),
        onLoan: n % 2 === 0,
        recommended: of([null, true, false], n),
        copies: of([-(2 ** 31), 0, 2 ** 31 - 1], n),
        balance: of([null, -(2n ** 53n) + 1n, 2n ** 53n - 1n, 0n], n),
        ratio: of([null, 0.1, -1e-300, 3], n),
        price: of(PRICES, n),
        details: details === null ? of([Prisma.JsonNull, Prisma.DbNull], n) : details,
        scan: of([null, new Uint8Array(), new Uint8Array([0, 255, 16, 39])], n),
        seenAt: moment(n),
        loans: { create: [{ reader: `reader ${n}`, until: moment(n + 1) ?? new Date(n) }] },
      },
    })
    // A default of the database, which only SQL beside the client gets to use.
    await client.$executeRaw`INSERT INTO "Loan" ("bookId", reader) VALUES (${before.id}, ${of(TEXTS, n)})`
  }
  // An id that was given out once.
  const gone = await of(all, 0).tag.create({ data: { label: 'gone' } })
  await of(all, 0).tag.delete({ where: { id: gone.id } })
}

const shown = (value) => JSON.stringify(value, (_, inner) =>
  typeof inner === 'bigint' ? `${inner}n` : inner instanceof Uint8Array ? Buffer.from(inner).toString('hex') : inner)

async function objects(client) {
  const book = { include: { tags: { orderBy: { id: 'asc' } } } }
  const models = { author: {}, profile: {}, book, tag: {}, loan: {} }
  const found = {}
  for (const [model, query] of Object.entries(models)) {
    const rows = await client[model].findMany(query)
    // jsonb has its own order of keys.
    const sorted = (row) => ({ ...row, details: row.details?.b ? [row.details.a, row.details.b] : row.details })
    found[model] = rows.map((row) => shown(sorted(row))).sort()
  }
  return found
}

async function compare() {
  const [there, here] = [await objects(old), await objects(fresh)]
  let rows = 0
  for (const [model, expected] of Object.entries(there)) {
    if (expected.length === 0) throw new Error(`${model} has no rows`)
    expected.forEach((row, n) => {
      if (row !== here[model][n]) throw new Error(`${model}:\n  ${row} is\n  ${here[model][n]}`)
    })
    if (here[model].length !== expected.length) throw new Error(`${model}: ${here[model].length} rows`)
    rows += expected.length
  }
  console.log(`${Object.keys(there).length} models, ${rows} rows are the same objects`)
}

async function insert() {
  const before = await objects(fresh)
  const most = (await fresh.tag.aggregate({ _max: { id: true } }))._max.id
  await fill([fresh], postgresql.Prisma, Number(process.argv[3]), 20)
  const first = (await fresh.tag.findFirst({ where: { id: { gt: most } }, orderBy: { id: 'asc' } })).id
  if (first !== most + 2) throw new Error(`${first}: id ${most + 1} was given out before`)
  const after = await objects(fresh)
  for (const model of Object.keys(before)) {
    if (after[model].length <= before[model].length) throw new Error(`nothing new in ${model}`)
  }
  const found = await fresh.book.count({ where: { details: { path: ['b', '0'], equals: 1 } } })
  if (!found) throw new Error('jsonb cannot be asked')
  console.log(`new rows of ${Object.keys(before).length} models; first new id ${first}, the largest was ${most}`)
}

const what = { fill: () => fill([old, older], sqlite.Prisma, 1, Number(process.env.ROWS)), compare, insert }
await what[process.argv[2]]()
process.exit(0)
