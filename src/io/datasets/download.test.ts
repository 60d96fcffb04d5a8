import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetchDataset, type Places } from './download.ts'
import type { Dataset } from './registry.ts'

const BODY = '{"question":"1 + 1?","answer":"2"}\n'.repeat(5_000)
const SHA = createHash('sha256').update(BODY).digest('hex')
const COMMIT = 'c'.repeat(40)

const set = (sha256?: string, source: string | null = 'data/a b.jsonl'): Dataset => ({
  name: 'small',
  summary: '',
  groups: [],
  licence: 'MIT',
  sources: [
    {
      repository: 'them/theirs',
      commit: COMMIT,
      files: [{ path: 'small/a.jsonl', source, ...(sha256 && { sha256 }) }],
    },
  ],
})

let folder: string
let server: Server
let where: Places
let asked: string[]
/** How the server answers; each test may set its own. */
let answer: Parameters<typeof createServer>[1]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-data-'))
  asked = []
  answer = (_, response) => response.end(BODY)
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer?.(request, response)
  })
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up))
  const { port } = server.address() as AddressInfo
  where = { given: '', cache: join(folder, 'cache'), home: `http://127.0.0.1:${port}` }
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((down) => server.close(down))
  await rm(folder, { recursive: true, force: true })
})

const kept = async (): Promise<string[]> => await readdir(join(where.cache, 'small')).catch(() => [])

describe('fetching a data set', () => {
  it('downloads once, at the registered commit, and finds it in the cache afterwards', async () => {
    const path = join(where.cache, 'small/a.jsonl')
    expect(await fetchDataset(set(SHA), where)).toEqual([{ path, from: 'download' }])
    expect(await readFile(path, 'utf8')).toBe(BODY)
    expect(await fetchDataset(set(SHA), where)).toEqual([{ path, from: 'cache' }])
    expect(asked).toEqual([`/them/theirs/${COMMIT}/data/a%20b.jsonl`])
    expect(await kept()).toEqual(['a.jsonl'])
  })

  it('takes a file of the given folder first, gzipped or not', async () => {
    await mkdir(join(folder, 'given/small'), { recursive: true })
    await writeFile(join(folder, 'given/small/a.jsonl.gz'), '')
    const found = await fetchDataset(set(SHA), { ...where, given: join(folder, 'given') })
    expect(found).toEqual([{ path: join(folder, 'given/small/a.jsonl.gz'), from: 'GRADUS_DATA' }])
    expect(asked).toEqual([])
  })

  it('refuses a file with another checksum and keeps nothing of it', async () => {
    answer = (_, response) => response.end(`${BODY}x`)
    await expect(fetchDataset(set(SHA), where)).rejects.toMatchObject({
      code: 'GRD-DATA-003',
      expected: `sha256 ${SHA}`,
    })
    expect(await kept()).toEqual([])
  })

  it('keeps nothing of a download that is cut off', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': BODY.length })
      response.write(BODY.slice(0, 1000))
      setTimeout(() => response.destroy(), 20)
    }
    await expect(fetchDataset(set(), where)).rejects.toMatchObject({ code: 'GRD-DATA-002' })
    expect(await kept()).toEqual([])
  })

  it.each([404, 500])('says what the server answered: %i', async (status) => {
    answer = (_, response) => response.writeHead(status).end('no')
    await expect(fetchDataset(set(), where)).rejects.toMatchObject({
      code: 'GRD-DATA-002',
      found: expect.stringContaining(`HTTP ${status}`),
    })
    expect(await kept()).toEqual([])
  })

  it('says what to do when nobody answers, and for a set that cannot be downloaded', async () => {
    const nobody = { ...where, home: 'http://127.0.0.1:1' }
    await expect(fetchDataset(set(), nobody)).rejects.toMatchObject({
      code: 'GRD-DATA-002',
      try: expect.arrayContaining([expect.stringContaining('GRADUS_DATA')]),
    })
    await expect(fetchDataset(set(undefined, null), where)).rejects.toMatchObject({
      code: 'GRD-DATA-002',
      try: ['git clone https://github.com/them/theirs', expect.any(String)],
    })
  })
})
