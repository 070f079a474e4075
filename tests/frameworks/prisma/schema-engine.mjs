#!/usr/bin/env node
// Prisma's schema engine, which the CLI starts for `migrate`, from its build for WebAssembly and over
// the driver adapters: the native one is a download that no package registry has. The CLI speaks
// JSON-RPC with it, a line each way; PRISMA_SCHEMA_ENGINE_BINARY names it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaLibSql } from '@prisma/adapter-libsql'
import { PrismaPg } from '@prisma/adapter-pg'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'

const { argv } = process
if (argv.includes('cli')) process.exit(0)
const found = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')
const wasm = readFileSync(found.replace('schema_engine.js', 'schema_engine_bg.wasm'))
const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': engine })
engine.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()

const { url } = JSON.parse(argv[argv.indexOf('--datasource') + 1])
// libpq's variables have the rest.
const adapter = url.startsWith('file:') ? new PrismaLibSql({ url }) : new PrismaPg({})
const schema = await engine.SchemaEngine.new(
  { datamodels: undefined },
  () => {},
  bindMigrationAwareSqlAdapterFactory(adapter),
)
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  // Only the CLI's answer to what was printed.
  if (!method) continue
  let answer
  try {
    const result = await schema[method](params)
    // The native engine has the CLI print.
    if (method === 'diff' && result.stdout) send({ id: -1, method: 'print', params: { content: result.stdout } })
    answer = { result: result ?? {} }
  } catch (error) {
    const { message, code = '' } = error
    const data = { is_panic: false, message, meta: null, error_code: code }
    answer = { error: { code: 4466, message, data } }
  }
  send({ id, ...answer })
}

function send(message) {
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')
}
process.exit(0)
