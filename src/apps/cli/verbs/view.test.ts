import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { syntheticTraces } from '../../../../bench/synthetic-traces.ts'
import { packageRoot } from '../../package-root.ts'
import { POST_HEADER } from '../../viewer/api.ts'
import { callVerb, says, startGradus } from '../testing/run-gradus.ts'
import { label } from './label.ts'
import { view } from './view.ts'

const folder = mkdtempSync(join(tmpdir(), 'gradus-view-verb-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'some.jsonl'), [...syntheticTraces(12, 4)].map((t) => `${JSON.stringify(t)}\n`).join(''))
writeFileSync(join(folder, 'guide.txt'), 'Mark the first step that is wrong.')

/** A viewer in a process of its own, and a browser that was let in. */
async function started(...args: string[]) {
  const process = startGradus(folder, ['view', 'some.jsonl', '--json', ...args], { XDG_CACHE_HOME: folder })
  const [line] = await says(process, /\{"url":.*\}/)
  const { url } = JSON.parse(line) as { url: string }
  const cookie = (await fetch(url, { redirect: 'manual' })).headers.get('set-cookie')!.split(';')[0]!
  const ask = async (path: string, body?: unknown): Promise<Response> =>
    await fetch(new URL(path, url), {
      headers: { cookie, ...(body !== undefined && { 'content-type': 'application/json', [POST_HEADER]: '1' }) },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
  return { process, ask }
}

/** Packed bytes of all scripts that the page loads before it shows anything: those that `main.js` imports at once. */
async function firstBytes(ask: (path: string) => Promise<Response>): Promise<number> {
  const seen = new Map<string, number>()
  const add = async (path: string): Promise<void> => {
    if (seen.has(path)) return
    const text = await (await ask(path)).text()
    seen.set(path, gzipSync(text).length)
    for (const [, name] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) await add(`/assets/${name}`)
  }
  await add('/assets/main.js')
  return [...seen.values()].reduce((a, b) => a + b, 0)
}

describe('gradus view', () => {
  it('serves the page and the data on this machine, and ends with Ctrl-C', async () => {
    const { process, ask } = await started('--person', 'Ada', '--instructions', 'guide.txt')
    const page = await ask('/')
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    const script = await ask('/assets/main.js')
    expect([script.status, script.headers.get('content-encoding')]).toEqual([200, 'gzip'])
    expect(await firstBytes(ask)).toBeLessThan(250_000)
    expect(await (await ask('/api/session')).json()).toMatchObject({ traces: 12, person: 'Ada', name: 'some.jsonl' })
    expect(await (await ask('/api/queue?person=Ada')).json()).toMatchObject({
      instructions: 'Mark the first step that is wrong.',
      left: 12,
    })
    process.child.kill('SIGINT')
    expect((await process.ended).code).toBe(0)
  })

  it('keeps what people typed when it is killed, and goes on from there', async () => {
    const first = await started()
    const taken = (await (await first.ask('/api/queue/take', { person: 'Ada' })).json()) as {
      item: { at: number; trace: { steps: unknown[] } }
    }
    const labels = taken.item.trace.steps.map(() => 'correct')
    const said = { person: 'Ada', at: taken.item.at, labels, firstError: null, note: 'so far', state: 'draft' }
    expect((await first.ask('/api/queue/labels', said)).status).toBe(200)
    first.process.child.kill('SIGKILL')
    await first.process.ended
    const second = await started()
    expect(await (await second.ask('/api/queue?person=Ada')).json()).toMatchObject({
      item: { at: taken.item.at, mine: { labels, note: 'so far', state: 'draft' } },
    })
    second.process.child.kill('SIGINT')
    await second.process.ended
  })

  it('is described by commands that run as written', async () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'viewer.md'), 'utf8')
    const commands = page.split('\n').filter((line) => line.startsWith('gradus view '))
    expect(commands.length).toBeGreaterThan(2)
    const people = await callVerb(label, [
      join(packageRoot(), 'examples/traces/agents.jsonl'),
      '-o',
      join(folder, 'labelled.jsonl'),
    ])
    expect(people.code).toBe(0)
    for (const line of commands) {
      const words = line
        .split(' ')
        .slice(1)
        .map((word) => (word.startsWith('examples/') ? join(packageRoot(), word) : word))
      const process = startGradus(folder, [...words, '--json', '--port', '0'], { XDG_CACHE_HOME: folder })
      await says(process, /\{"url":.*\}/)
      process.child.kill('SIGTERM')
      expect([line, (await process.ended).code]).toEqual([line, 0])
    }
  })

  it('says what it cannot show', async () => {
    expect((await callVerb(view, ['-'])).code).toBe('GRD-CLI-001')
    expect((await callVerb(view, [join(folder, 'nothing.jsonl')])).code).toBe('GRD-IO-001')
    expect((await callVerb(view, [tmpdir()])).code).toBe('GRD-IO-001')
    expect((await callVerb(view, [join(folder, 'guide.txt'), '--person', '<b>'])).code).toBe('GRD-CLI-002')
    expect((await callVerb(view, [join(folder, 'some.jsonl'), '--instructions', join(folder, 'no')])).code).toBe(
      'GRD-IO-001',
    )
  })
})
