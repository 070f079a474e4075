// The data source of the TypeORM commands: KIND is sqljs or postgres, VERSION that of the entities.
require('reflect-metadata')
const { DataSource } = require('typeorm')
const { existsSync, readFileSync } = require('fs')
const entities = require('./entities')

const { KIND, VERSION, SQLITE_FILE, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env

function source(kind, version) {
  const shared = { entities: entities(kind, version), migrations: [`${kind}/*.js`] }
  if (kind === 'postgres') {
    const place = { host: PGHOST, port: Number(PGPORT), username: PGUSER, password: PGPASSWORD, database: PGDATABASE }
    return new DataSource({ type: kind, ...place, ...shared })
  }
  const database = existsSync(SQLITE_FILE) ? readFileSync(SQLITE_FILE) : undefined
  return new DataSource({ type: kind, location: SQLITE_FILE, autoSave: true, database, ...shared })
}

module.exports = source(KIND, Number(VERSION))
