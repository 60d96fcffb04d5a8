import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { syntheticTraces } from '../../../bench/synthetic-traces.ts'
import type { Trace } from '../../core/words.ts'
import { API, POST_HEADER } from './api.ts'
import { ViewedData } from './data.ts'
import { CUT_CHARS, Rows, TraceAnswer } from './schemas.ts'
import { HOST, jsonLines, plainTrace, type TestViewer, testViewer } from './testing/in-process.ts'

const traces = [...syntheticTraces(60, 5)]
let viewer: TestViewer
beforeAll(async () => {
  viewer = await testViewer({ 'a.jsonl': jsonLines(traces) })
})
afterAll(() => viewer.close())

/** Every route that only reads, with something to fill in. */
const READS = Object.values(API)
  .filter((route) => route.method === 'get')
  .map((route) => ({
    route,
    path: route
      .getRoutingPath()
      .replace(/:\w+(\{[^}]*\})?/g, '0')
      .concat(
        { '/api/traces/{at}/text': '?pointer=/steps/0/text', '/api/queue': '?person=Ada', '/api/find': '?id=bench-3' }[
          route.path as string
        ] ?? '',
      ),
  }))

describe("the viewer's door", () => {
  it('lets nobody at the data without the cookie', async () => {
    for (const { path } of READS) expect((await viewer.raw(path)).status).toBe(401)
    for (const path of ['/api/openapi.json', '/api/queue/export', '/api/traces/0/images/0', '/api/nothing']) {
      expect((await viewer.raw(path)).status).toBe(401)
    }
    expect((await viewer.raw('/api/session', { headers: { cookie: 'gradus_8000=guess' } })).status).toBe(401)
  })

  it('lets one browser in for each address, once', async () => {
    const token = viewer.door.invite()
    const first = await viewer.raw(`/?token=${token}`)
    expect([first.status, first.headers.get('location')]).toEqual([303, '/'])
    expect(first.headers.get('set-cookie')).toMatch(/^gradus_8000=[\w-]{32}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect((await viewer.raw(`/?token=${token}`)).status).toBe(401)
    expect((await viewer.raw('/?token=guess')).status).toBe(401)
    const { body } = await viewer.post('/api/invite', {})
    const address = new URL(z.object({ url: z.string() }).parse(body).url)
    expect((await viewer.raw(address.pathname + address.search)).status).toBe(303)
  })

  it('refuses other names of this machine, and requests that other sites send', async () => {
    const token = viewer.door.invite()
    const cookie = (await viewer.raw(`/?token=${token}`)).headers.get('set-cookie')!.split(';')[0]!
    const status = async (headers: Record<string, string>, path = '/api/session') =>
      (await viewer.raw(path, { headers: { cookie, ...headers } })).status
    expect(await status({})).toBe(200)
    expect(await status({ host: 'evil.example:8000' })).toBe(403)
    expect(await status({ host: 'evil.example:8000' }, '/')).toBe(403)
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'null' })).toBe(403)
    expect(await status({ origin: 'http://127.0.0.1:9999' })).toBe(403)
    expect(await status({ origin: `http://${HOST}` })).toBe(200)
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await status({ 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await status({ 'sec-fetch-site': 'same-origin' })).toBe(200)
  })

  it('changes nothing on a request that a form of another site could send', async () => {
    const cookie = (await viewer.raw(`/?token=${viewer.door.invite()}`)).headers.get('set-cookie')!.split(';')[0]!
    const body = JSON.stringify({ person: 'Ada', at: 0, labels: [], firstError: null, note: '', state: 'done' })
    const send = async (headers: Record<string, string>) =>
      (await viewer.raw('/api/queue/labels', { method: 'POST', body, headers: { cookie, ...headers } })).status
    expect(await send({ 'content-type': 'application/json' })).toBe(403)
    expect(await send({ 'content-type': 'text/plain', [POST_HEADER]: '1' })).toBe(403)
    expect(await send({ 'content-type': 'application/json', [POST_HEADER]: '1' })).toBe(400)
    expect(viewer.store.all()).toEqual([])
  })

  it('says on every answer what a browser may do with it', async () => {
    for (const path of ['/', '/nowhere', '/api/session', '/?token=guess']) {
      const { headers } = await viewer.raw(path)
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/,
      )
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
    }
  })
})

describe("the viewer's data", () => {
  it('comes as the description says, and reading it changes nothing', async () => {
    const before = readdirSync(viewer.folder)
    for (const { route, path } of READS) {
      const { status, body } = await viewer.get(path)
      if (route.path === '/api/trees/{at}') expect(status).toBe(404)
      else route.responses[200].content['application/json'].schema.parse(body)
    }
    expect(readdirSync(viewer.folder)).toEqual(before)
  })

  it('gives rows a page at a time, filtered, sorted and searched', async () => {
    const rows = async (query: string) => Rows.parse((await viewer.get(`/api/traces?${query}`)).body)
    expect((await rows('limit=5&offset=58')).rows.map((r) => r.id)).toEqual(['bench-58', 'bench-59'])
    const long = await rows('filter=steps:ge:6;generator:ne:agent-a&sort=-steps')
    expect(long.total).toBe(traces.filter((t) => t.steps.length >= 6 && t.source.generator !== 'agent-a').length)
    expect(long.rows.map((r) => r.steps)).toEqual(long.rows.map((r) => r.steps).sort((a, b) => b - a))
    const word = traces[7]!.steps[0]!.text.split(' ')[0]!
    expect((await rows(`q=${word}&limit=60`)).rows.map((r) => r.id)).toContain('bench-7')
    const { body } = await viewer.get('/api/traces/9/siblings')
    expect(Rows.parse(body).rows.map((r) => r.id)).toEqual([
      'bench-8',
      'bench-9',
      'bench-10',
      'bench-11',
      'bench-12',
      'bench-13',
      'bench-14',
      'bench-15',
    ])
  })

  it('says what is wrong with a question', async () => {
    const statuses = async (...paths: string[]) =>
      await Promise.all(paths.map(async (p) => (await viewer.get(p)).status))
    expect(
      await statuses(
        '/api/traces?filter=steps:ge:x',
        '/api/traces?sort=said',
        '/api/traces?limit=-1',
        '/api/queue?person=%0A',
      ),
    ).toEqual([400, 400, 400, 400])
    expect(await statuses('/api/traces/60', '/api/traces/x', '/api/trees/5', '/api/runs/7', '/api/find?id=no')).toEqual(
      [404, 400, 404, 404, 404],
    )
    const { body } = await viewer.get('/api/traces/60')
    expect(body).toEqual({
      error: { code: 'GRD-SERVE-005', message: 'GRD-SERVE-005 there is no such thing here: trace 60', try: [] },
    })
  })

  it('keeps numbers of traces when several files are shown as one list', async () => {
    const two = await testViewer({
      'a.jsonl': jsonLines(traces.slice(0, 3)),
      'b.jsonl': jsonLines(traces.slice(30, 33).map((t) => ({ ...t, id: `${t.id}-b` }))),
    })
    const sorted = Rows.parse((await two.get('/api/traces?sort=-steps')).body).rows
    expect(sorted.map((r) => r.steps)).toEqual(sorted.map((r) => r.steps).sort((a, b) => b - a))
    for (const { at, id } of sorted) {
      expect(TraceAnswer.parse((await two.get(`/api/traces/${at}`)).body).trace.id).toBe(id)
      expect((await two.get(`/api/find?id=${id}`)).body).toEqual({ at })
    }
    expect(sorted.map((r) => r.at).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2e9, 2e9 + 1, 2e9 + 2])
    await two.close()
  })
})

describe('hostile traces', () => {
  const big = `${'x'.repeat(CUT_CHARS - 1)}😀${'й'.repeat(1_400_000)}`
  const nasty = [
    '<script>alert(1)</script><img src=x onerror=alert(1)>',
    '[click](javascript:alert(1))',
    '\u202Egnp.exe\u202C and \u0000\u001B[31m',
    `data:image/png;base64,${'A'.repeat(3_000_000)}`,
    '\\frac{\\frac{{{',
    big,
  ]
  const paths = [
    '../secret.png',
    '/etc/hostname',
    'inside.png',
    'link.png',
    'https://evil.example/x.png',
    'script.svg',
    'data:image/svg+xml;base64,AAAA',
    'data:image/png;base64,AAAA',
  ]
  const trace: Trace = plainTrace('</script>', nasty, {
    problem: {
      id: 'p',
      prompt: '<b>',
      context: [{ kind: 'images', images: paths.map((path) => ({ path, type: 'image/png' })) }],
    },
    extra: { 'a/b~c': big },
  })
  const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

  it('come as JSON alone, long texts in pieces that make the whole again', async () => {
    const hostile = await testViewer({ 'h.jsonl': jsonLines([trace]) })
    const { body } = await hostile.get('/api/traces/0')
    const answer = TraceAnswer.parse(body)
    expect(JSON.stringify(answer).length).toBeLessThan(1_000_000)
    expect(answer.trace.steps.slice(0, 3).map((s) => s.text)).toEqual(nasty.slice(0, 3))
    expect(answer.cuts.map((c) => c.pointer)).toEqual(['/steps/3/text', '/steps/5/text', '/extra/a~1b~0c'])
    expect(answer.trace.steps[5]!.text.endsWith('x')).toBe(true)
    for (const { pointer, length } of answer.cuts) {
      let text = ''
      for (let from: number | null = 0; from !== null; ) {
        const { body: piece } = await hostile.get(
          `/api/traces/0/text?pointer=${encodeURIComponent(pointer)}&from=${from}`,
        )
        const read = API.text.responses[200].content['application/json'].schema.parse(piece)
        text += read.text
        from = read.next
      }
      expect(text.length).toBe(length)
      expect(text === (pointer.endsWith('3/text') ? nasty[3] : big)).toBe(true)
    }
    for (const pointer of ['steps/0/text', '/steps', '/__proto__/x', '/steps/length', '/nowhere']) {
      expect((await hostile.get(`/api/traces/0/text?pointer=${encodeURIComponent(pointer)}`)).status).toBe(404)
    }
    await hostile.close()
  })

  it('show pictures that lie in their folder, and no others', async () => {
    const outer = mkdtempSync(join(tmpdir(), 'gradus-images-'))
    const folder = join(outer, 'data')
    mkdirSync(folder)
    writeFileSync(join(outer, 'secret.png'), PNG)
    writeFileSync(join(folder, 'inside.png'), PNG)
    writeFileSync(join(folder, 'script.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    symlinkSync(join(outer, 'secret.png'), join(folder, 'link.png'))
    const hostile = await testViewer({ 'h.jsonl': jsonLines([trace]) }, {}, folder)
    const { images } = TraceAnswer.parse((await hostile.get('/api/traces/0')).body)
    expect(images).toEqual([null, null, '/api/traces/0/images/2', null, null, null, null, 'data:image/png;base64,AAAA'])
    const cookie = (await hostile.raw(`/?token=${hostile.door.invite()}`)).headers.get('set-cookie')!.split(';')[0]!
    const image = async (n: number) => await hostile.raw(`/api/traces/0/images/${n}`, { headers: { cookie } })
    const shown = await image(2)
    expect(shown.headers.get('content-type')).toBe('image/png')
    expect(Buffer.from(await shown.arrayBuffer()).equals(PNG)).toBe(true)
    for (const n of [0, 1, 3, 4, 5, 6, 7, 8]) expect((await image(n)).status).toBe(404)
    await hostile.close()
    rmSync(outer, { recursive: true })
  })
})

describe('a run folder', () => {
  it('fills up while it is looked at: traces, then labelled traces in their place', async () => {
    const outer = mkdtempSync(join(tmpdir(), 'gradus-runs-'))
    const run = join(outer, 'first')
    mkdirSync(run)
    const write = (name: string, text: string): void => writeFileSync(join(run, name), text)
    write(
      'run.json',
      JSON.stringify({
        version: 1,
        state: 'running',
        stage: 'sample',
        stages: [{ name: 'sample', done: 1, total: 3 }],
        seed: 7,
      }),
    )
    write('traces.jsonl', '')
    const data = await ViewedData.open([run], outer)
    expect(data.find({}).length).toBe(0)
    const after = async (): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 450))
      await data.refresh()
      for (const { index } of data.indexes) await index.settled()
      return data.version
    }
    write('traces.jsonl', jsonLines(traces.slice(0, 2)))
    const first = await after()
    expect(data.find({}).length).toBe(2)
    write('labelled.jsonl', jsonLines(traces.slice(0, 3)))
    expect(await after()).toBeGreaterThan(first)
    expect(Array.from(data.find({}))).toEqual([0, 1, 2])
    await data.close()
    rmSync(outer, { recursive: true })
  })

  it('is refused where nothing in it can be shown', async () => {
    await expect(ViewedData.open([tmpdir()])).rejects.toThrow('GRD-IO-001')
  })
})
