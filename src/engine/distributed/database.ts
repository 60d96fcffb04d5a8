import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import type { Db as BossDatabase } from 'pg-boss'
import { GradusError } from '../../core/errors.ts'
import { SCHEMA, SCHEMA_VERSION } from './schema.ts'

export type Row = Record<string, unknown>

/** Postgres, on a server or in this process. */
export interface Database {
  /** Host and name of the database, or the folder; never a password. */
  readonly where: string
  /** How pg-boss reaches it: a connection string, or an object for the database in this process. */
  readonly boss: { connectionString: string } | { db: BossDatabase; backend: 'pglite' }
  /**
   * One statement, sent again after a lost connection, with growing waits: it must be one that may be repeated.
   * @throws GradusError GRD-DB-001 when the database stays away, GRD-RUN-003 for everything else it complains of
   */
  query(text: string, values?: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** First wait, longest wait and patience after a lost connection, milliseconds: a restart takes seconds, a move minutes. */
const RECONNECT = { first: 100, longest: 5_000, patience: 5 * 60_000 }
/**
 * Rows of calls come and go so fast that Postgres knows nothing of their number: left to itself it reads all of a job's,
 * dead ones too, to find the few that are named by their key (a third of its time; `bench/many.ts calls`).
 */
const BY_KEY = ['bitmapscan', 'hashjoin', 'mergejoin', 'seqscan'].map((way) => `SET enable_${way} = off`).join('; ')
/** Connections of one process: the exchange has one at a time, the rest are for looking and for heartbeats. */
const CONNECTIONS = 4

/**
 * `postgres://...` is a server, anything else the folder of a database in this process; tables are made where there
 * are none.
 * @throws GradusError GRD-CLI-003 where a package is missing, GRD-DB-001, GRD-DB-002
 */
export async function openDatabase(url: string): Promise<Database> {
  const database = /^postgres(ql)?:\/\//.test(url) ? await server(url) : await embedded(url)
  try {
    await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function server(url: string): Promise<Database> {
  const { default: pg } = await peer('pg', '--engine postgres', () => import('pg'))
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    keepAlive: true,
    application_name: 'gradus',
    onConnect: async (client) => void (await client.query(BY_KEY)),
  })
  // A connection that breaks while nobody uses it is replaced by the pool.
  pool.on('error', () => undefined)
  const { host, pathname } = new URL(url)
  const where = `${host}${pathname}`
  let reached = false
  return {
    where,
    boss: { connectionString: url },
    async query(text, values = []) {
      const started = performance.now()
      for (let wait = RECONNECT.first; ; wait = Math.min(RECONNECT.longest, wait * 2)) {
        try {
          const { rows } = await pool.query<Row>({ name: nameOf(text), text, values: [...values] })
          reached = true
          return rows
        } catch (cause) {
          const patience = reached ? RECONNECT.patience : 0
          if (!mayPass(cause) || performance.now() - started > patience) throw explained(cause, where)
          await new Promise((resolve) => setTimeout(resolve, wait))
        }
      }
    },
    close: () => pool.end(),
  }
}

async function embedded(folder: string): Promise<Database> {
  const { PGlite } = await peer('@electric-sql/pglite', '--engine pglite', () => import('@electric-sql/pglite'))
  const { fromPglite } = await peer('pg-boss', '--engine pglite', () => import('pg-boss'))
  await mkdir(folder, { recursive: true })
  const unlock = await lock(`${folder}.lock`)
  const lite = await PGlite.create(folder).catch(async (cause: unknown) => {
    await unlock()
    throw explained(cause, folder)
  })
  return {
    where: folder,
    boss: { db: fromPglite(lite), backend: 'pglite' },
    async query(text, values = []) {
      try {
        return (await lite.query<Row>(text, [...values])).rows
      } catch (cause) {
        throw explained(cause, folder)
      }
    },
    async close() {
      await lite.close()
      await unlock()
    },
  }
}

/**
 * One process at a time: the database in this process does not look for another, which would ruin the folder.
 * @returns lets go again; a process that died has let go too
 * @throws GradusError GRD-RUN-003
 */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      return () => unlink(path)
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST') throw explained(cause, path)
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (holder > 0 && isAlive(holder)) {
      throw new GradusError('GRD-RUN-003', {
        where: { file: path },
        found: `process ${holder} has this database open`,
        expected: 'one process at a time',
        try: ['wait for it', '--engine postgres   (any number of processes)'],
      })
    }
    await unlink(path).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is one too.
    return codeOf(error) === 'EPERM'
  }
}

/** @throws GradusError GRD-CLI-003 where the optional package is not installed */
export async function peer<T>(name: string, needs: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new GradusError('GRD-CLI-003', {
      found: `no package ${name}`,
      expected: `${name}, which ${needs} needs`,
      try: ['npm install pg-boss pg   (postgres)', 'npm install pg-boss pg @electric-sql/pglite   (pglite)'],
      cause,
    })
  }
}

async function migrate(database: Database): Promise<void> {
  const there = "EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'gradus')"
  const known = await database.query(`SELECT ${there} AS known`)
  if (known[0]?.['known'] !== true) {
    // One block is one statement: processes that start together wait for the lock, and the later ones see the tables.
    const body = `BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('gradus schema'));
      IF NOT ${there} THEN EXECUTE $schema$${SCHEMA}$schema$; END IF;
    END`
    await database.query(`DO $block$ ${body} $block$`)
  }
  const [row] = await database.query('SELECT version FROM gradus.version')
  if (row?.['version'] === SCHEMA_VERSION) return
  throw new GradusError('GRD-DB-002', {
    where: { file: database.where },
    found: `version ${String(row?.['version'])}`,
    expected: `version ${SCHEMA_VERSION}`,
    try: ['another database; this one is left as it is'],
  })
}

const names = new Map<string, string>()

/** Each connection plans a statement once. */
function nameOf(text: string): string {
  const name = names.get(text) ?? `gradus ${names.size}`
  names.set(text, name)
  return name
}

/** Conditions of Postgres that pass: connection lost (08), shutting down or starting (57P), out of something (53), deadlock and serialisation (40). */
const PASSES = /^(08|57P|53|40)/
const BROKEN = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function mayPass(cause: unknown): boolean {
  const code = codeOf(cause)
  if (PASSES.test(code) || BROKEN.has(code)) return true
  // The driver has no code for a connection that ends in the middle.
  return (
    cause instanceof Error && /^(Connection terminated|timeout exceeded|Client has encountered)/.test(cause.message)
  )
}

function explained(cause: unknown, where: string): GradusError {
  const found = cause instanceof Error ? cause.message || codeOf(cause) : String(cause)
  // 28: the role or its password; 3D: no such database.
  if (mayPass(cause) || /^(28|3D)/.test(codeOf(cause))) {
    return new GradusError('GRD-DB-001', {
      where: { file: where },
      found,
      try: ['check address, role and password', 'does the server run?'],
      cause,
    })
  }
  return new GradusError('GRD-RUN-003', { where: { file: where }, found, cause })
}
