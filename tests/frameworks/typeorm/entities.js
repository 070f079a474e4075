// The entities of one version for one database: entities(kind, version). TypeORM has the same types under
// names of their own.
const { EntitySchema } = require('typeorm')

module.exports = function entities(kind, version) {
  const postgres = kind === 'postgres'
  const moment = postgres ? 'timestamp' : 'datetime'
  const author = {
    name: 'Author',
    columns: { id: { type: 'uuid', primary: true, generated: 'uuid' }, name: { type: String } },
  }
  const book = {
    name: 'Book',
    columns: {
      id: { type: Number, primary: true, generated: 'increment' },
      title: { type: 'varchar', length: 200 },
      state: { type: 'simple-enum', enum: ['draft', 'is printed'], default: 'draft' },
      notes: { type: 'text', nullable: true },
      onLoan: { type: Boolean, default: false },
      recommended: { type: Boolean, nullable: true },
      copies: { type: 'integer', default: version < 3 ? 1 : 2 },
      visits: { type: 'bigint', nullable: true },
      ratio: { type: postgres ? 'double precision' : 'double', nullable: true },
      price: { type: 'decimal', precision: 15, scale: 4, nullable: true },
      details: { type: postgres ? 'jsonb' : 'json', nullable: true },
      words: { type: 'simple-array', nullable: true },
      more: { type: 'simple-json', nullable: true },
      scan: { type: postgres ? 'bytea' : 'blob', nullable: true },
      printedOn: { type: 'date', nullable: true },
      opens: { type: 'time', nullable: true },
      seen: { type: moment, nullable: true },
      seenThere: { type: postgres ? 'timestamptz' : 'datetime', nullable: true },
      created: { type: moment, createDate: true },
      updated: { type: moment, updateDate: true },
      deleted: { type: moment, deleteDate: true, nullable: true },
      revision: { type: Number, version: true },
      ...(version < 3 ? {} : { shelf: { type: String, default: 'none' } }),
    },
    relations: {
      author: { type: 'many-to-one', target: 'Author', nullable: true, onDelete: 'SET NULL' },
      sequelOf: { type: 'many-to-one', target: 'Book', nullable: true },
      tags: { type: 'many-to-many', target: 'Tag', joinTable: true, cascade: true },
    },
    uniques: [{ columns: ['title', 'author'] }],
    indices: [
      { columns: ['seen'], where: '"onLoan"', name: 'IDX_on_loan' },
      ...(version < 3 ? [] : [{ columns: ['printedOn', 'id'], unique: true, name: 'IDX_printed' }]),
    ],
    checks: [{ expression: '"copies" > -3000000000' }],
  }
  const tag = {
    name: 'Tag',
    columns: { id: { type: Number, primary: true, generated: 'increment' }, label: { type: String, unique: true } },
  }
  const loan = {
    name: 'Loan',
    columns: {
      reader: { type: 'varchar', primary: true },
      number: { type: Number, primary: true },
      until: { type: 'date' },
    },
    relations: { book: { type: 'many-to-one', target: 'Book', nullable: false } },
  }
  const all = version < 2 ? [author, book, tag] : [author, book, tag, loan]
  return all.map((one) => new EntitySchema(one))
}
