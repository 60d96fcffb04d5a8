import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

const KEY = 'AKIATEST'
const SECRET = 'secret-of-the-test'
/** Keys in one answer to a list, so that tests see several pages. */
const PAGE = 3

export interface S3Server {
  /** What a client needs in its environment. */
  env: Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_REGION' | 'AWS_ENDPOINT_URL', string>
  /** `bucket/key` to bytes. */
  objects: Map<string, Buffer>
  /** Requests refused for their signature. */
  refused: number
  /** This many of the next requests are answered with 503. */
  busy: number
  close(): Promise<void>
}

/** A server on 127.0.0.1 that speaks the S3 that Gradus uses: PUT, GET, LIST; every signature is recomputed. */
export async function startS3Server(): Promise<S3Server> {
  const state: S3Server = {
    env: { AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: SECRET, AWS_REGION: 'eu-test-1', AWS_ENDPOINT_URL: '' },
    objects: new Map(),
    refused: 0,
    busy: 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      const url = new URL(request.url ?? '/', 'http://s3')
      const name = decodeURIComponent(url.pathname.slice(1))
      const answer = (status: number, text: string | Buffer = ''): void => {
        response.writeHead(status)
        response.end(text)
      }
      if (state.busy > 0) {
        state.busy--
        return answer(503)
      }
      if (!signed(request, url, body)) {
        state.refused++
        return answer(403, '<Error><Code>SignatureDoesNotMatch</Code><Message>no &amp; no</Message></Error>')
      }
      if (request.method === 'PUT') {
        state.objects.set(name, body)
        return answer(200)
      }
      if (url.searchParams.has('list-type')) return answer(200, list(state, name, url.searchParams))
      const found = state.objects.get(name)
      return found ? answer(200, found) : answer(404, '<Error><Code>NoSuchKey</Code></Error>')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return state
}

function list(state: S3Server, path: string, query: URLSearchParams): string {
  const bucket = path.replace(/\/$/, '')
  const from = query.get('continuation-token') ?? ''
  const keys = [...state.objects.keys()]
    .filter((key) => key.startsWith(`${bucket}/${query.get('prefix')}`))
    .map((key) => key.slice(bucket.length + 1))
    .sort()
    .filter((key) => key > from)
  const page = keys.slice(0, PAGE)
  const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const contents = page.map(
    (key) =>
      `<Contents><Key>${escaped(key)}</Key><Size>${state.objects.get(`${bucket}/${key}`)?.length}</Size></Contents>`,
  )
  const next = keys.length > PAGE ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : ''
  return `<ListBucketResult>${contents.join('')}${next}</ListBucketResult>`
}

/**
 * Signature version 4 computed anew from the request ("Authenticating Requests (AWS Signature Version 4)", Amazon S3
 * API reference): canonical request, string to sign, derived key.
 */
function signed(request: IncomingMessage, url: URL, body: Buffer): boolean {
  const header = (name: string): string => String(request.headers[name] ?? '')
  const given = /Credential=([^/]+)\/(\d{8}\/[^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})/.exec(
    header('authorization'),
  )
  if (!given) return false
  const [, key, scope = '', names = '', signature] = given
  const payload = header('x-amz-content-sha256')
  if (key !== KEY) return false
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== sha256(body)) return false
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const path = url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/')
  const headers = names.split(';').map((name) => `${name}:${header(name).trim()}\n`)
  const canonical = [request.method, path, query, headers.join(''), names, payload].join('\n')
  const text = ['AWS4-HMAC-SHA256', header('x-amz-date'), scope, sha256(Buffer.from(canonical))].join('\n')
  const derived = scope.split('/').reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${SECRET}`))
  return hmac(derived, text).toString('hex') === signature
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
