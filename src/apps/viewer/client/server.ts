import type { ErrorAnswer, paths } from './api.generated.ts'

type Method = 'get' | 'post'
/** Paths that answer a method. */
type PathOf<M extends Method> = { [P in keyof paths]: M extends keyof paths[P] ? P : never }[keyof paths]
type AnswerOf<P extends keyof paths, M extends Method> =
  paths[P] extends Record<M, { responses: { 200: { content: { 'application/json': infer A } } } }> ? A : never
type BodyOf<P extends keyof paths> = paths[P] extends {
  post: { requestBody: { content: { 'application/json': infer B } } }
}
  ? B
  : never
type ParametersOf<P extends keyof paths> = paths[P] extends { get: { parameters: infer G } }
  ? { [K in 'path' | 'query' as K extends keyof G ? (undefined extends G[K] ? never : K) : never]: G[K & keyof G] } & {
      [K in 'path' | 'query' as K extends keyof G ? (undefined extends G[K] ? K : never) : never]?: G[K & keyof G]
    }
  : never

/** What the server refused, in its own words. */
export class Refused extends Error {
  readonly code: string
  /** What to do about it. */
  readonly advice: readonly string[]

  constructor(code: string, message: string, advice: readonly string[]) {
    super(message)
    this.code = code
    this.advice = advice
  }
}

/**
 * Asks the server; paths, parameters and answers are those of its OpenAPI document.
 * @throws Refused when the server refuses or cannot be reached
 */
export async function get<P extends PathOf<'get'>>(
  path: P,
  parameters: ParametersOf<P>,
  signal?: AbortSignal,
): Promise<AnswerOf<P, 'get'>> {
  const { path: inPath = {}, query = {} } = parameters as Record<string, Record<string, unknown> | undefined>
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name])))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const tail = search.toString()
  return await request(`${filled}${tail === '' ? '' : `?${tail}`}`, signal === undefined ? {} : { signal })
}

/**
 * Tells the server something. The header keeps pages of other sites from doing so in this person's name.
 * @throws Refused when the server refuses or cannot be reached
 */
export async function post<P extends PathOf<'post'>>(path: P, body: BodyOf<P>): Promise<AnswerOf<P, 'post'>> {
  const headers = { 'content-type': 'application/json', 'x-gradus': '1' }
  return await request(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function request<A>(address: string, init: RequestInit): Promise<A> {
  const response = await fetch(address, init).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new Refused('offline', 'the server does not answer', ['gradus view <file>   (in the folder of the file)'])
  })
  const body: unknown = await response.json().catch(() => null)
  if (response.ok && body !== null) return body as A
  if (isErrorAnswer(body)) throw new Refused(body.error.code, body.error.message, body.error.try)
  throw new Refused(String(response.status), `the server answered ${response.status}`, [])
}

function isErrorAnswer(body: unknown): body is ErrorAnswer {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'object'
}
