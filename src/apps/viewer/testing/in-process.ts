import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Trace } from '../../../core/words.ts'
import { POST_HEADER } from '../api.ts'
import { ViewedData } from '../data.ts'
import { Door } from '../door.ts'
import { LabelStore } from '../labels.ts'
import { viewerApp } from '../server.ts'

export const HOST = '127.0.0.1:8000'

/** A viewer without a network: requests go straight in. */
export interface TestViewer {
  folder: string
  data: ViewedData
  store: LabelStore
  door: Door
  /** As a browser that was let in; the body of an answer is read as JSON. */
  get(path: string): Promise<{ status: number; body: unknown }>
  post(path: string, body: unknown): Promise<{ status: number; body: unknown }>
  /** As anybody. */
  raw(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export interface TestOptions {
  each?: number
  instructions?: string
  /** The clock of labels and locks. */
  now?: () => number
}

/** @param files by name; run folders are names with a slash, of which the first part is opened */
export async function testViewer(
  files: Record<string, string | Uint8Array>,
  options: TestOptions = {},
  folder = mkdtempSync(join(tmpdir(), 'gradus-view-')),
): Promise<TestViewer> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const data = await ViewedData.open(
    Object.keys(files).flatMap((name) => (name.endsWith('.jsonl') ? [join(folder, name)] : [])),
    folder,
  )
  for (const { index } of data.indexes) await index.settled()
  const store = new LabelStore(join(folder, 'labels.sqlite'), options.now)
  const door = new Door()
  const assets = new Map([['/', { type: 'text/html; charset=utf-8', gzip: gzipSync('<!doctype html>') }]])
  const app = viewerApp(data, store, door, assets, {
    each: options.each ?? 1,
    instructions: options.instructions ?? null,
    person: null,
    address: () => `http://${HOST}`,
  })
  const raw = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await app.request(`http://${HOST}${path}`, { ...init, headers: { host: HOST, ...init.headers } })
  const cookie = (await raw(`/?token=${door.invite()}`)).headers.get('set-cookie')?.split(';')[0] ?? ''
  const read = async (answer: Response) => ({ status: answer.status, body: (await answer.json()) as unknown })
  return {
    folder,
    data,
    store,
    door,
    raw,
    get: async (path) => await read(await raw(path, { headers: { cookie } })),
    post: async (path, body) =>
      await read(
        await raw(path, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { cookie, 'content-type': 'application/json', [POST_HEADER]: '1' },
        }),
      ),
    async close() {
      await data.close()
      store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function jsonLines(values: Iterable<unknown>): string {
  return [...values].map((value) => `${JSON.stringify(value)}\n`).join('')
}

/** A trace of given texts; everything else is as little as can be. */
export function plainTrace(id: string, texts: readonly string[], more: Partial<Trace> = {}): Trace {
  return {
    id,
    problem: { id: `problem-${id}`, prompt: `What of ${id}?` },
    steps: texts.map((text) => ({ text, kind: 'thought' })),
    source: { generator: 'test', dataset: 'test', licence: 'CC0-1.0' },
    ...more,
  }
}
