// The schema on PostgreSQL; run.sh leaves out the lines of later versions.
import { bigint, bigserial, boolean, check, customType, date, doublePrecision, foreignKey, index, integer, jsonb, numeric, pgEnum, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid, varchar } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'

// As Drizzle's documentation has it.
const bytea = customType({ dataType: () => 'bytea' })

export const state = pgEnum('state', ['draft', 'is printed'])

export const authors = pgTable('authors', {
  id: uuid().primaryKey().defaultRandom(),
  name: text().notNull(),
})

export const books = pgTable('books', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: varchar({ length: 200 }).notNull(),
  state: state().notNull().default('draft'),
  authorId: uuid('author_id').references(() => authors.id, { onDelete: 'set null' }),
  sequelOf: integer('sequel_of'),
  notes: text(),
  onLoan: boolean('on_loan').notNull().default(false),
  recommended: boolean(),
  copies: integer().notNull().default(1),
  visits: bigint({ mode: 'bigint' }),
  ratio: doublePrecision(),
  price: numeric(),
  details: jsonb(),
  more: jsonb(),
  words: text().array(),
  scan: bytea(),
  seen: timestamp({ precision: 3 }),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  shelf: text().notNull().default('none'), // since 3
}, (t) => [
  foreignKey({ columns: [t.sequelOf], foreignColumns: [t.id] }),
  uniqueIndex('books_title_author').on(t.title, t.authorId),
  index('books_seen').on(t.seen).where(sql`${t.onLoan}`),
  check('copies_sane', sql`${t.copies} > -3000000000`),
  index('books_created').on(t.createdAt), // since 3
])

export const tags = pgTable('tags', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  label: text().notNull().unique(),
})

export const booksTags = pgTable('booksTags', {
  bookId: integer('bookId').notNull().references(() => books.id),
  tagId: bigint('tagId', { mode: 'number' }).notNull().references(() => tags.id),
}, (t) => [primaryKey({ columns: [t.bookId, t.tagId] })])

export const loans = pgTable('loans', { // since 2
  id: integer().primaryKey().generatedByDefaultAsIdentity(), // since 2
  bookId: integer('book_id').notNull().references(() => books.id), // since 2
  until: date().notNull(), // since 2
}) // since 2
