import { defineConfig } from 'prisma/config'

const { PROVIDER, SQLITE_FILE, DATABASE_URL } = process.env

export default defineConfig({
  schema: `${PROVIDER}/schema.prisma`,
  migrations: { path: `${PROVIDER}/migrations` },
  datasource: { url: PROVIDER === 'sqlite' ? `file:${SQLITE_FILE}` : DATABASE_URL },
})
