import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { GradusError } from '../../core/errors.ts'
import type { Sort } from '../../io/trace-index/conditions.ts'
import { isField } from '../../io/trace-index/conditions.ts'
import { agreementOf } from './agreement.ts'
import { API } from './api.ts'
import type { Assets } from './bundle.ts'
import { cutTrace, pieceOf } from './cut.ts'
import type { ViewedData } from './data.ts'
import type { Door } from './door.ts'
import { computedFigures } from './figures.ts'
import { parseFilter } from './filters.ts'
import { fits, withHumanEvidence } from './human-evidence.ts'
import { imageAt, imagePaths } from './images.ts'
import type { LabelStore } from './labels.ts'
import { openApiDocument } from './openapi.ts'
import { LabelQueue, type QueueOptions } from './queue.ts'
import { runRow, runStamp, writtenFigures } from './runs.ts'
import { MOST_ROWS } from './schemas.ts'
import { shownImages, shownRow } from './trace-answer.ts'
import { Trees } from './trees.ts'

/** What a viewer shows and to whom. */
export interface ViewerOptions extends QueueOptions {
  /** Who labels, where the command says so. */
  person: string | null
  /** The address that a new token belongs to, as `http://127.0.0.1:8321`. */
  address: () => string
}

/** Values of a field that are listed. */
const FACET_VALUES = 50
/** Labels and notes of one trace are far smaller, bytes. */
const BODY_BYTES = 8 * 1024 * 1024

/** The viewer over HTTP: the page's files, and its data as `api.ts` describes them. */
export function viewerApp(
  data: ViewedData,
  store: LabelStore,
  door: Door,
  assets: Assets,
  options: ViewerOptions,
): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return
      const issue = result.error.issues[0]
      throw new GradusError('GRD-SERVE-001', {
        where: { field: issue?.path.join('.') ?? '' },
        found: issue?.message ?? 'another shape',
      })
    },
  })
  const queue = new LabelQueue(data, store, options)
  const trees = new Trees(data.sources)
  const version = versions(() => `${data.version} ${store.stamp} ${data.sources.map(runStamp).join(' ')}`)
  const facets = remembered(
    () => data.version,
    () => data.facets(FACET_VALUES),
  )

  app.use('*', door.guard)
  app.use('/api/*', door.members)
  app.use('/api/*', bodyLimit({ maxSize: BODY_BYTES }))
  app.use('/api/*', async (c, next) => {
    await data.refresh()
    await next()
    c.header('cache-control', 'no-store')
  })
  app.onError((error, c) => failure(error, c))
  app.notFound((c) => failure(new GradusError('GRD-SERVE-005', { found: c.req.path }), c))

  for (const [address, { type, gzip }] of assets) {
    app.get(address, (c) =>
      c.body(new Uint8Array(gzip), 200, {
        'content-type': type,
        'content-encoding': 'gzip',
        'cache-control': 'no-cache',
      }),
    )
  }

  app.openapi(API.session, async (c) => {
    const facts = data.indexes.map(({ index }) => ({ index, ...index.reader.facts() }))
    const shares = facts.map(({ index }) => index.share)
    const known = shares.filter((share) => share !== null)
    const failed = facts.find(({ index }) => index.failure !== null)?.index.failure
    return c.json(
      {
        name: data.sources.map((source) => source.name).join(', '),
        version: version(),
        files: facts.map(({ index, size, format }) => ({ name: data.nameOf(index), bytes: size, format })),
        indexing: {
          done: facts.reduce((n, f) => n + f.traces, 0),
          share: known.length < shares.length ? null : mean(known),
          finished: facts.every(({ index }) => index.finished),
          failure: failed?.message ?? null,
        },
        traces: facts.reduce((n, f) => n + f.traces, 0),
        steps: facts.reduce((n, f) => n + f.steps, 0),
        leftOut: {
          count: facts.reduce((n, f) => n + f.leftOut, 0),
          examples: facts.flatMap((f) => f.examples).slice(0, 20),
        },
        trees: (await trees.list()).length,
        runs: data.sources.length,
        people: store.people(),
        person: options.person,
      },
      200,
    )
  })

  app.openapi(API.traces, (c) => {
    const { q, filter, sort, offset, limit } = c.req.valid('query')
    const conditions = parseFilter(filter ?? '')
    if (conditions === null) throw new GradusError('GRD-SERVE-001', { where: { field: 'filter' }, found: filter ?? '' })
    const by = sort === undefined || sort === '' ? undefined : sortFrom(sort)
    const ats = data.find({ ...(q !== undefined && { words: q }), conditions, ...(by && { sort: by }) })
    const end = Math.min(ats.length, offset + Math.min(limit, MOST_ROWS))
    const rows = []
    for (let i = offset; i < end; i++) rows.push(shownRow(data.row(ats[i]!)))
    return c.json({ total: ats.length, rows }, 200)
  })

  app.openapi(API.facets, (c) => c.json({ facets: facets() }, 200))

  app.openapi(API.find, (c) => {
    const { id } = c.req.valid('query')
    const at = data.numberOf(id)
    if (at === null) throw new GradusError('GRD-SERVE-005', { found: id })
    return c.json({ at }, 200)
  })

  app.openapi(API.trace, (c) => {
    const { at } = c.req.valid('param')
    const { trace, source } = data.trace(at)
    return c.json(
      {
        row: shownRow(data.row(at)),
        ...cutTrace(trace),
        people: store.of({ source: source.key, id: trace.id }).filter((g) => fits(g, trace.steps.length)),
        images: shownImages(at, trace, source.folder),
      },
      200,
    )
  })

  app.openapi(API.text, (c) => {
    const { at } = c.req.valid('param')
    const { pointer, from } = c.req.valid('query')
    const piece = pieceOf(data.trace(at).trace, pointer, from)
    if (piece === null) throw new GradusError('GRD-SERVE-005', { found: pointer })
    return c.json(piece, 200)
  })

  app.get('/api/traces/:at{\\d+}/images/:n{\\d+}', (c) => {
    const { trace, source } = data.trace(Number(c.req.param('at')))
    const path = imagePaths(trace)[Number(c.req.param('n'))]
    const image = path === undefined ? null : imageAt(source.folder, path)
    if (image === null) throw new GradusError('GRD-SERVE-005', { found: 'no such picture in the data folder' })
    return c.body(Readable.toWeb(createReadStream(image.file)) as ReadableStream<Uint8Array>, 200, {
      'content-type': image.type,
      'content-length': String(image.bytes),
    })
  })

  app.openapi(API.siblings, (c) => {
    const { question } = data.row(c.req.valid('param').at)
    const ats = data.find({ conditions: [{ field: 'question', op: 'eq', values: [question] }] })
    const rows = Array.from(ats)
      .slice(0, MOST_ROWS)
      .map((at) => shownRow(data.row(at)))
    return c.json({ total: ats.length, rows }, 200)
  })

  app.openapi(API.trees, async (c) => c.json({ trees: await trees.list() }, 200))
  app.openapi(API.tree, async (c) => c.json(await trees.tree(c.req.valid('param').at), 200))

  app.openapi(API.queue, (c) => c.json(queue.state(c.req.valid('query').person), 200))
  app.openapi(API.take, (c) => {
    const { person, at } = c.req.valid('json')
    return c.json(queue.take(person, at), 200)
  })
  app.openapi(API.labels, (c) => {
    const { person, at, state, ...said } = c.req.valid('json')
    return c.json(queue.label(person, at, said, state), 200)
  })
  app.openapi(API.undo, (c) => c.json(queue.undo(c.req.valid('json').person), 200))
  app.openapi(API.agreement, (c) => c.json(agreementOf(data, store), 200))
  app.openapi(API.adjudicate, (c) => {
    const { person, at, ...said } = c.req.valid('json')
    queue.adjudicate(person, at, said)
    return c.json(agreementOf(data, store), 200)
  })
  app.get('/api/queue/export', (c) =>
    c.body(Readable.toWeb(Readable.from(exported(data, store))) as ReadableStream<Uint8Array>, 200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-disposition': 'attachment; filename="labels.jsonl"',
    }),
  )

  app.openapi(API.runs, (c) => c.json({ runs: data.sources.map(runRow) }, 200))
  app.openapi(API.run, (c) => {
    const { n } = c.req.valid('param')
    const source = data.sources[n]
    if (source === undefined) throw new GradusError('GRD-SERVE-005', { found: `run ${n}` })
    const row = runRow(source, n)
    const index = data.indexes.find((one) => one.source === source)?.index
    const computed = index === undefined ? [] : computedFigures(index.reader, row.run?.usage ?? null)
    const { figures, leftOut } = writtenFigures(source)
    const problem = leftOut > 0 ? `${leftOut} figures of figures.json cannot be drawn` : row.problem
    return c.json({ ...row, problem, figures: [...figures, ...computed] }, 200)
  })

  app.openapi(API.invite, (c) => c.json({ url: `${options.address()}/?token=${door.invite()}` }, 200))
  // The catalogue loads every room, which nobody waits for at the start.
  app.openapi(API.methods, async (c) => c.json((await import('./methods.ts')).methodsAnswer(), 200))
  app.get('/api/openapi.json', (c) => c.json(openApiDocument()))
  return app
}

/** All traces that people have finished, with what they said, one a line. */
async function* exported(data: ViewedData, store: LabelStore): AsyncGenerator<Buffer> {
  const all = store.all().filter(({ given }) => given.state === 'done' || given.state === 'adjudicated')
  for (const items of Map.groupBy(all, ({ source, id }) => `${source}\n${id}`).values()) {
    const { source, id } = items[0]!
    const at = data.numberOf(id, source)
    if (at === null) continue
    const { trace } = data.trace(at)
    const given = items.flatMap((item) => (fits(item.given, trace.steps.length) ? [item.given] : []))
    if (given.length > 0) yield Buffer.from(`${JSON.stringify(withHumanEvidence(trace, given))}\n`)
    // Others are answered in between.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A number that grows whenever the text is another one. */
function versions(stamp: () => string): () => number {
  let last = ''
  let n = 0
  return () => {
    const now = stamp()
    if (now !== last) n++
    last = now
    return n
  }
}

function remembered<T>(version: () => number, compute: () => T): () => T {
  let kept: { version: number; value: T } | null = null
  return () => {
    if (kept?.version !== version()) kept = { version: version(), value: compute() }
    return kept.value
  }
}

function sortFrom(text: string): Sort {
  const field = text.replace(/^-/, '')
  if (!isField(field) || field === 'tags')
    throw new GradusError('GRD-SERVE-001', { where: { field: 'sort' }, found: text })
  return { field, descending: text.startsWith('-') }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 1 : values.reduce((a, b) => a + b, 0) / values.length
}

const STATUS: Record<string, 404 | 409> = { 'GRD-SERVE-005': 404, 'GRD-SERVE-006': 409, 'GRD-IO-016': 409 }

/** What went wrong as JSON; of a fault of our own the browser learns nothing but that. */
function failure(error: unknown, c: Context): Response {
  if (error instanceof GradusError) {
    const { code, message } = error
    return c.json({ error: { code, message, try: [...error.try] } }, STATUS[code] ?? 400)
  }
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  const known = status === 413 ? 'larger than the limit' : status === 400 ? 'not readable' : 'a fault of the viewer'
  return c.json(
    { error: { code: 'GRD-SERVE-001', message: known, try: [] } },
    status === 413 ? 413 : status === 400 ? 400 : 500,
  )
}
