import { createRoute, type RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import {
  AdjudicateBody,
  ErrorAnswer,
  Facet,
  Invite,
  LabelsBody,
  MethodsAnswer,
  PersonName,
  Piece,
  Queue,
  QueueAgreement,
  Rows,
  RowsQuery,
  RunAnswer,
  RunRow,
  Session,
  TakeBody,
  TraceAnswer,
  TreeAnswer,
  TreeRow,
  UndoBody,
  Whole,
} from './schemas.ts'

/**
 * Every route of the viewer's server. Requests need the session's cookie; a POST needs the header `x-gradus` too, which
 * no other site's page can send. A refused request is answered by `ErrorAnswer`.
 */

/** A header that a form of another site cannot send; its value does not matter. */
export const POST_HEADER = 'x-gradus'

const Numbered = z.object({ at: Whole })

export const API = {
  session: get('/api/session', Session, 'what is shown, how far it is read, and a number that grows with every change'),
  traces: get('/api/traces', Rows, 'rows that fit, a page at a time', { query: RowsQuery }),
  facets: get('/api/facets', z.object({ facets: z.array(Facet) }), 'values of the fields that can be filtered'),
  trace: get('/api/traces/{at}', TraceAnswer, 'one trace, long texts cut', { params: Numbered }),
  text: get('/api/traces/{at}/text', Piece, 'the rest of a text that was cut', {
    params: Numbered,
    query: z.object({
      pointer: z.string().describe('JSON Pointer of the text, as `/steps/3/text`'),
      from: Whole.default(0),
    }),
  }),
  siblings: get('/api/traces/{at}/siblings', Rows, 'attempts at the same question, this one included', {
    params: Numbered,
  }),
  find: get('/api/find', z.object({ at: z.number().int() }), 'the trace with an id', {
    query: z.object({ id: z.string() }),
  }),
  trees: get('/api/trees', z.object({ trees: z.array(TreeRow) }), 'trees of a run folder'),
  tree: get('/api/trees/{at}', TreeAnswer, 'one tree', { params: Numbered }),
  queue: get('/api/queue', Queue, 'where a person stands; takes nothing', {
    query: z.object({ person: PersonName }),
  }),
  take: post('/api/queue/take', Queue, TakeBody, 'take a trace, the most doubtful by default, and lock it'),
  labels: post('/api/queue/labels', Queue, LabelsBody, 'what a person says of the trace'),
  undo: post('/api/queue/undo', Queue, UndoBody, 'take the last finished or skipped trace back, as a draft'),
  agreement: get('/api/queue/agreement', QueueAgreement, 'how far people agree'),
  adjudicate: post('/api/queue/adjudicate', QueueAgreement, AdjudicateBody, 'decide a trace on which people differ'),
  runs: get('/api/runs', z.object({ runs: z.array(RunRow) }), 'run folders'),
  run: get('/api/runs/{n}', RunAnswer, 'one run with its figures', {
    params: z.object({ n: Whole }),
  }),
  invite: post('/api/invite', Invite, z.object({}), 'one more address that lets one browser in'),
  methods: get('/api/methods', MethodsAnswer, 'the catalogue, with what became of each paper'),
} as const

/** Beside these, without a schema: `GET /api/queue/export` (JSONL) and `GET /api/traces/{at}/images/{n}` (bytes). */

type Request = NonNullable<RouteConfig['request']>

function get<P extends string, A extends z.ZodType, const R extends Request = Record<never, never>>(
  path: P,
  answer: A,
  summary: string,
  request: R = {} as R,
) {
  return createRoute({ method: 'get', path, summary, request, responses: responses(answer) })
}

function post<P extends string, A extends z.ZodType, B extends z.ZodType>(
  path: P,
  answer: A,
  body: B,
  summary: string,
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    request: { body: { content: { 'application/json': { schema: body } }, required: true } },
    responses: responses(answer),
  })
}

function responses<A extends z.ZodType>(answer: A) {
  const refused = { description: 'refused', content: { 'application/json': { schema: ErrorAnswer } } }
  return {
    200: { description: 'the answer', content: { 'application/json': { schema: answer } } },
    400: refused,
    404: refused,
    409: refused,
  }
}
