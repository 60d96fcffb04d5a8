import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileUnder, rootFolder } from './files.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradus-mcp-files-')))
const root = join(folder, 'root')
const server = createServer()
beforeAll(async () => {
  mkdirSync(join(root, 'inner'), { recursive: true })
  mkdirSync(join(folder, 'root-beside'))
  writeFileSync(join(root, 'inner', 'a.jsonl'), 'a')
  writeFileSync(join(root, '..a.jsonl'), 'a')
  writeFileSync(join(root, '-'), 'a')
  writeFileSync(join(folder, 'secret.jsonl'), 's')
  writeFileSync(join(folder, 'root-beside', 'secret.jsonl'), 's')
  symlinkSync(join(root, 'inner', 'a.jsonl'), join(root, 'inside'))
  symlinkSync('../secret.jsonl', join(root, 'outside'))
  symlinkSync(folder, join(root, 'up'))
  symlinkSync(root, join(folder, 'link-to-root'))
  await once(server.listen(join(root, 'socket')), 'listening')
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

const codeOf = (path: string): Promise<string> =>
  fileUnder(root, path).then(
    (file) => `file ${file}`,
    (error) => error.code,
  )

describe('a file that a client names', () => {
  it.each(['inner/a.jsonl', './inner/../inner/a.jsonl', 'inside', join(root, 'inner', 'a.jsonl')])(
    'is found below the root: %s',
    async (path) => expect(await codeOf(path)).toBe(`file ${join(root, 'inner', 'a.jsonl')}`),
  )

  it('may have a name that looks like a way out, or like standard input', async () => {
    expect(await codeOf('..a.jsonl')).toBe(`file ${join(root, '..a.jsonl')}`)
    expect(await codeOf('-')).toBe(`file ${join(root, '-')}`)
  })

  it.each([
    '../secret.jsonl',
    '../nothing-there.jsonl',
    'outside',
    'up/secret.jsonl',
    '../root-beside/secret.jsonl',
    '/etc/passwd',
    '/proc/self/environ',
    '..',
    'up',
  ])('is refused outside, whether it exists or not: %s', async (path) => expect(await codeOf(path)).toBe('GRD-IO-017'))

  it.each(['inner', 'none.jsonl', 'socket', 'a\u0000b', 'inner/a.jsonl/b'])(
    'is refused where it is no file: %j',
    async (path) => expect(await codeOf(path)).toBe('GRD-IO-001'),
  )

  it('is below the root however that is named', async () => {
    expect(await rootFolder(join(folder, 'link-to-root'), '/')).toBe(root)
    expect(await rootFolder(undefined, join(folder, 'link-to-root'))).toBe(root)
    await expect(rootFolder(join(root, 'inside'), '/')).rejects.toMatchObject({ code: 'GRD-CLI-002' })
    await expect(rootFolder(join(root, 'none'), '/')).rejects.toMatchObject({ code: 'GRD-CLI-002' })
  })

  it('is none where a client starts the server in the root of the file system, unless that is said', async () => {
    expect(await rootFolder(undefined, '/')).toBeNull()
    await expect(fileUnder(null, join(root, 'inside'))).rejects.toMatchObject({ code: 'GRD-IO-017' })
    expect(await rootFolder('/', '/')).toBe('/')
    expect(await fileUnder('/', join(root, 'inside'))).toBe(join(root, 'inner', 'a.jsonl'))
  })
})
