// The schema on SQLite; run.sh leaves out the lines of later versions.
import { blob, check, foreignKey, index, integer, numeric, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { sql } from 'drizzle-orm'

export const authors = sqliteTable('authors', {
  id: text().primaryKey().$defaultFn(() => crypto.randomUUID()),
  name: text().notNull(),
})

export const books = sqliteTable('books', {
  id: integer().primaryKey({ autoIncrement: true }),
  title: text({ length: 200 }).notNull(),
  state: text({ enum: ['draft', 'is printed'] }).notNull().default('draft'),
  authorId: text('author_id').references(() => authors.id, { onDelete: 'set null' }),
  sequelOf: integer('sequel_of'),
  notes: text(),
  onLoan: integer('on_loan', { mode: 'boolean' }).notNull().default(false),
  recommended: integer({ mode: 'boolean' }),
  copies: integer().notNull().default(1),
  visits: blob({ mode: 'bigint' }),
  ratio: real(),
  price: numeric(),
  details: text({ mode: 'json' }),
  more: blob({ mode: 'json' }),
  words: text({ mode: 'json' }),
  scan: blob({ mode: 'buffer' }),
  seen: integer({ mode: 'timestamp_ms' }),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull().$defaultFn(() => new Date()),
  shelf: text().notNull().default('none'), // since 3
}, (t) => [
  foreignKey({ columns: [t.sequelOf], foreignColumns: [t.id] }),
  uniqueIndex('books_title_author').on(t.title, t.authorId),
  index('books_seen').on(t.seen).where(sql`${t.onLoan}`),
  check('copies_sane', sql`${t.copies} > -3000000000`),
  index('books_created').on(t.createdAt), // since 3
])

export const tags = sqliteTable('tags', {
  id: integer().primaryKey({ autoIncrement: true }),
  label: text().notNull().unique(),
})

export const booksTags = sqliteTable('booksTags', {
  bookId: integer('bookId').notNull().references(() => books.id),
  tagId: integer('tagId').notNull().references(() => tags.id),
}, (t) => [primaryKey({ columns: [t.bookId, t.tagId] })])

export const loans = sqliteTable('loans', { // since 2
  id: integer().primaryKey(), // since 2
  bookId: integer('book_id').notNull().references(() => books.id), // since 2
  until: text().notNull(), // since 2
}) // since 2
