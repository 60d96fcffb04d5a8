import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type ErrorCode, GradusError } from '../../core/errors.ts'
import { guard } from './guard.ts'
import {
  LinesBody,
  linesOfLines,
  linesOfPairs,
  linesOfPooling,
  linesOfQueries,
  PoolingBody,
  type Reading,
  RewardBody,
  ScoreBody,
} from './score-requests.ts'
import { Overloaded, type ScoredLine, type ScoreService } from './score-service.ts'
import { isOfTheRequest, wireError } from './wire-error.ts'

export interface ScoreAppOptions {
  token: string
  reading: Reading
  /** What a trainer gets where the model cannot say; without it such a request is refused. */
  abstainAs?: number
}

/** A request of some hundred long solutions. */
const BODY_BYTES = 64 * 1024 * 1024

const Numbers = z.array(z.number())
const answers = {
  reward: z.object({ rewards: Numbers, scores: Numbers, extra_logs: z.record(z.string(), Numbers) }).openapi('Rewards'),
  score: z
    .looseObject({
      object: z.literal('list'),
      model: z.string(),
      data: z.array(z.object({ index: z.number(), object: z.literal('score'), score: z.number() })),
    })
    .openapi('Scores'),
  pooling: z
    .looseObject({
      object: z.literal('list'),
      model: z.string(),
      data: z.array(
        z.object({
          index: z.number(),
          object: z.literal('pooling'),
          data: z.array(Numbers).openapi({ description: 'a row for each step: chance of wrong, chance of right' }),
        }),
      ),
    })
    .openapi('Poolings'),
  lines: z
    .object({
      model: z.string(),
      meaning: z.enum(['correctness', 'value']),
      aggregate: z.string(),
      data: z.array(z.object({ scores: z.array(z.number().nullable()), score: z.number().nullable() })),
    })
    .openapi('LineScores'),
}
const Failure = z
  .object({ error: z.looseObject({ message: z.string(), type: z.string(), code: z.string() }) })
  .openapi('Failure')

function route<B extends z.ZodType, A extends z.ZodType>(path: string, summary: string, body: B, answer: A) {
  const failed = (description: string) => ({ description, content: { 'application/json': { schema: Failure } } })
  return createRoute({
    method: 'post',
    path,
    summary,
    security: [{ token: [] }],
    request: { body: { required: true, content: { 'application/json': { schema: body } } } },
    responses: {
      200: { description: summary, content: { 'application/json': { schema: answer } } },
      400: failed('the request cannot be read, or is too long for the model'),
      422: failed('the model cannot say, and nothing stands for that'),
      429: failed('too much is waiting; Retry-After says when to come again'),
      502: failed('the model behind the server failed'),
    },
  })
}

/**
 * Scores over HTTP as training frameworks ask for them: OpenRLHF's remote reward (`/get_reward`), vLLM's `/score` and
 * `/pooling`, and our own `/v1/rewards`. A request has all its scores or an error, so that no trainer takes half an
 * answer; where the model cannot say, it never gets 0 or .5 by itself.
 */
export function scoreApp(service: ScoreService, { token, reading, abstainAs }: ScoreAppOptions): OpenAPIHono {
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
  const model = service.model.name
  let requests = 0
  const head = () => ({ id: `score-${requests++}`, object: 'list' as const, created: 0, model })
  const sure = (score: number | null): number => {
    const known = score ?? abstainAs
    if (known !== undefined) return known
    throw new GradusError('GRD-SERVE-007', {
      found: `a solution without a score of ${model}`,
      try: ['gradus serve --abstain-as 0   (a number that you choose)', '/v1/rewards, which says null'],
    })
  }

  app.onError((error, c) => failure(error, c))
  app.get('/health', (c) => c.json({ status: 'ok', model }))
  app.use('*', async (c, next) => {
    const began = performance.now()
    await next()
    service.metrics.request(
      KNOWN.has(c.req.path) ? c.req.path : 'other',
      c.res.status,
      (performance.now() - began) / 1000,
    )
  })
  // Trainers that cannot send headers give the token in the address.
  for (const path of SCORE_PATHS) app.use(path, guard(token, { inAddress: true }), limited)
  app.use('/metrics', guard(token))
  app.get('/metrics', (c) => c.text(service.metrics.text(), 200, { 'content-type': 'text/plain; version=0.0.4' }))

  app.openapi(route('/get_reward', 'OpenRLHF: one reward for each query', RewardBody, answers.reward), async (c) => {
    const scored = await service.score(await linesOfQueries(c.req.valid('json'), reading))
    const rewards = scored.map(({ score }) => sure(score))
    return c.json({ rewards, scores: rewards, extra_logs: { steps: scored.map(({ scores }) => scores.length) } }, 200)
  })
  for (const path of ['/score', '/v1/score']) {
    app.openapi(route(path, 'vLLM: the score of each solution', ScoreBody, answers.score), async (c) => {
      const scored = await service.score(await linesOfPairs(c.req.valid('json'), reading))
      const data = scored.map(({ score }, index) => ({ index, object: 'score' as const, score: sure(score) }))
      return c.json({ ...head(), data }, 200)
    })
  }
  app.openapi(route('/pooling', 'vLLM: two classes for each step', PoolingBody, answers.pooling), async (c) => {
    const scored = await service.score(await linesOfPooling(c.req.valid('json'), reading))
    const rows = ({ scores }: ScoredLine) => scores.map(sure).map((p) => [1 - p, p])
    const data = scored.map((one, index) => ({ index, object: 'pooling' as const, data: rows(one) }))
    return c.json({ ...head(), data }, 200)
  })
  app.openapi(
    route('/v1/rewards', 'scores of steps and of the whole, null where nobody can say', LinesBody, answers.lines),
    async (c) => {
      const data = await service.score(await linesOfLines(c.req.valid('json'), reading))
      const { meaning, aggregate } = service.model
      return c.json({ model, meaning, aggregate, data }, 200)
    },
  )

  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Gradus scores', version: '1' } })
  return app
}

const SCORE_PATHS = ['/get_reward', '/score', '/v1/score', '/pooling', '/v1/rewards'] as const
const KNOWN = new Set<string>([...SCORE_PATHS, '/health', '/metrics', '/openapi.json'])

const counted = bodyLimit({ maxSize: BODY_BYTES, onError: tooLarge })

/**
 * A body that says how long it is, is believed: Node reads no more. `bodyLimit` alone would first make a web stream of
 * it, which takes as long as everything else of a small request.
 */
const limited: MiddlewareHandler = (c, next) => {
  const length = c.req.header('content-length')
  if (length === undefined || c.req.header('transfer-encoding') !== undefined) return counted(c, next)
  return Number(length) > BODY_BYTES ? Promise.resolve(tooLarge(c)) : next()
}

function tooLarge(c: Context): Response {
  return c.json(errorBody(`more than ${BODY_BYTES / 1024 / 1024} MiB`, 'GRD-IO-010'), 413)
}

function errorBody(message: string, code: string) {
  return { error: { message, type: code === 'overloaded' ? 'rate_limit_error' : 'invalid_request_error', code } }
}

function failure(error: unknown, c: Context): Response {
  if (error instanceof Overloaded) {
    c.header('retry-after', String(error.retryAfter))
    return c.json(errorBody(error.message, 'overloaded'), 429)
  }
  if (!(error instanceof GradusError)) {
    // Hono's own errors (a body that is no JSON) carry their status.
    const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
    return status === 400
      ? c.json(errorBody('the body is not JSON', 'GRD-SERVE-001'), 400)
      : c.json(errorBody('internal error', 'internal'), 500)
  }
  if (error.code === 'GRD-CALL-003') c.header('retry-after', '1')
  return c.json(wireError(error), isOfTheRequest(error) ? 400 : (STATUS[error.code] ?? 502))
}

/** Where it is not the request's fault: nobody's, the load's; else the model's behind this server. */
const STATUS: Partial<Record<ErrorCode, 422 | 503>> = {
  'GRD-SERVE-007': 422,
  'GRD-CALL-003': 503,
}
