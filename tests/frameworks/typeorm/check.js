// check.js fill | objects FILE | insert FIRST: what the application does with the database of source.js.
const { IsNull, MoreThan, Not } = require('typeorm')
const { writeFileSync } = require('fs')
const data = require('./source')

const TEXTS = ['', 'Ünïcödé 漢字 😀', 'it\'s "quoted"\\\n\ttab', 'NULL', '{"not": "json"', '12']
const JSONS = [null, {}, [], { b: [1, 2.5, null, { ü: '\u2028' }] }]
const MOMENTS = [null, '2024-02-29T23:59:59.999Z', '1969-12-31T23:00:00.001Z', '9999-12-30T01:02:03.000Z']
const of = (values, n) => values[n % values.length]
const moment = (n) => of(MOMENTS, n) && new Date(of(MOMENTS, n))

async function fill(first, count) {
  const [authors, books, tags, loans] = ['Author', 'Book', 'Tag', 'Loan'].map((name) => data.getRepository(name))
  let author, before
  for (let n = first; n < first + count; n++) {
    if (n % 5 === 1) author = await authors.save({ name: of(TEXTS, n) })
    const tag = await tags.save({ label: `${n} ${of(TEXTS, n)}` })
    before = await books.save({
      title: `${n} ${of(TEXTS, n)}`,
      state: of(['draft', 'is printed'], n),
      author: of([author, null], n),
      sequelOf: n % 3 && before ? { id: before.id } : null,
      tags: [tag],
      notes: of([null, ...TEXTS], n),
      onLoan: n % 2 === 0,
      recommended: of([null, true, false], n),
      copies: of([-(2 ** 31), 0, 2 ** 31 - 1], n),
      visits: of([null, 2 ** 53 - 1, 0], n),
      ratio: of([null, 0.1, -1e-300, 3], n),
      price: of([null, 0, 0.0001, -12.34, 99999999999.9999], n),
      details: of(JSONS, n),
      words: of([null, ['a', '', 'ü'], ['NULL']], n),
      more: of(JSONS, n + 1),
      scan: of([null, Buffer.from([]), Buffer.from([0, 255, 16, 39])], n),
      printedOn: of([null, '0001-01-01', '9999-12-31'], n),
      opens: of([null, '00:00:00', '23:59:59'], n),
      seen: moment(n),
      seenThere: moment(n + 1),
    })
    await loans.save({ reader: of(TEXTS, n), number: n, until: '2024-01-01', book: before })
    if (n % 7 === 0) await books.softDelete(before.id)
  }
  // An id that was given out once.
  const gone = await tags.save({ label: 'gone' })
  await tags.delete(gone.id)
}

// The two drivers have numbers of their own kind for decimals and bigints.
const shown = (row) => JSON.stringify(row, (key, value) =>
  value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex')
    : value instanceof Uint8Array ? Buffer.from(value).toString('hex')
    : (key === 'price' || key === 'visits') && value !== null ? Number(value) : value)

async function objects() {
  const lines = []
  const related = { Author: {}, Book: { author: true, sequelOf: true, tags: true }, Tag: {}, Loan: { book: true } }
  for (const [name, relations] of Object.entries(related)) {
    const rows = await data.getRepository(name).find({ relations, withDeleted: true })
    if (rows.length === 0) throw new Error(`${name} has no rows`)
    lines.push(...rows.map((row) => `${name} ${shown(row)}`))
  }
  return lines.sort()
}

async function insert(first) {
  const tags = data.getRepository('Tag')
  const books = data.getRepository('Book')
  const before = await objects()
  const most = await tags.maximum('id', {})
  await fill(first, 20)
  const next = await tags.minimum('id', { id: MoreThan(most) })
  if (next !== most + 2) throw new Error(`${next}: id ${most + 1} was given out before`)
  const after = await objects()
  for (const name of ['Author', 'Book', 'Tag', 'Loan']) {
    const count = (lines) => lines.filter((line) => line.startsWith(`${name} `)).length
    if (count(after) <= count(before)) throw new Error(`nothing new in ${name}`)
  }
  if (!(await books.count({ where: { deleted: Not(IsNull()) }, withDeleted: true }))) throw new Error('none deleted')
  console.log(`new rows of 4 entities; first new id ${next}, the largest was ${most}`)
}

const [, , what, argument] = process.argv
async function run() {
  await data.initialize()
  if (what === 'fill') await fill(1, Number(process.env.ROWS))
  else if (what === 'insert') await insert(Number(argument))
  else {
    const lines = await objects()
    writeFileSync(argument, lines.join('\n') + '\n')
    console.log(`4 entities, ${lines.length} objects`)
  }
  await data.destroy()
}
run().catch((error) => {
  console.error(error)
  process.exit(1)
})
