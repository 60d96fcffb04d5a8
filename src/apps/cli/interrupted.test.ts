import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { packageRoot } from '../package-root.ts'

// Processes start slowly where other work has the cores.
vi.setConfig({ testTimeout: 60_000 })

const BIN = join(packageRoot(), 'bin', 'gradus.mjs')
const AGENTS = join(packageRoot(), 'examples', 'traces', 'agents.jsonl')

let folder: string
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gradus-interrupted-')))
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

const run = (args: string[]): { status: number | null; stderr: string } =>
  spawnSync(process.execPath, [BIN, ...args], { cwd: folder, encoding: 'utf8', timeout: 50_000 })

describe('a run that cannot end well', () => {
  it.each([
    ['SIGINT', 130, 0],
    ['SIGKILL', null, 2],
  ] as const)('has no output after %s', async (signal, code, temporaries) => {
    // Standard input stays open, so that the run is in the middle of its work for certain.
    const child = spawn(process.execPath, [BIN, 'label', '-', '--format', 'gradus', '-o', 'out.jsonl'], { cwd: folder })
    child.stdin.on('error', () => {})
    let err = ''
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    const ended = once(child, 'close')
    // The output and its index.
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(2), { timeout: 40_000, interval: 50 })
    child.kill(signal)
    expect((await ended)[0]).toBe(code)
    const left = await readdir(folder)
    expect(left.filter((name) => !name.endsWith('.tmp'))).toEqual([])
    expect(left).toHaveLength(temporaries)
    if (code === 130) expect(err).toContain('GRD-RUN-002')
    for (const name of left) await rm(join(folder, name))
  })

  it('refuses a wrong output before any work, and the input as output', async () => {
    const noFolder = run(['label', AGENTS, '--report', 'nowhere/report.html'])
    expect([noFolder.status, noFolder.stderr]).toEqual([2, expect.stringContaining('mkdir -p nowhere')])
    const same = run(['convert', AGENTS, '-o', AGENTS])
    expect([same.status, same.stderr]).toEqual([2, expect.stringContaining('also an input')])
  })

  it('writes no file where the format can hold none of the traces', async () => {
    await writeFile(
      join(folder, 'plain.jsonl'),
      `${JSON.stringify({ id: 'a', problem: { id: 'p', prompt: 'q' }, steps: [{ text: 's', kind: 'thought' }], source: { generator: '', dataset: 'd', licence: 'MIT' } })}\n`,
    )
    const none = run(['convert', 'plain.jsonl', '--to', 'processbench', '-o', 'none.json'])
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('GRD-IO-011')])
    expect(await readdir(folder)).toEqual(['plain.jsonl'])
  })

  it('says in one block that a port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { status, stderr } = await new Promise<{ status: number | null; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [BIN, 'serve', '--port', String(port)], { cwd: folder })
      let text = ''
      child.stderr.on('data', (chunk) => {
        text += chunk
      })
      child.on('close', (status) => resolve({ status, stderr: text }))
    })
    other.close()
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error GRD-SERVE-003/)
    expect(stderr).not.toContain('    at ')
  })
})
