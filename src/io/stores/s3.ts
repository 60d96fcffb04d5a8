import { AwsClient } from 'aws4fetch'
import { GradusError } from '../../core/errors.ts'
import { entryOf } from '../../core/unknown.ts'
import type { ObjectStore } from './store.ts'

/** What the AWS tools read too; `AWS_ENDPOINT_URL` names any other server that speaks S3. */
export interface S3Environment {
  AWS_ACCESS_KEY_ID?: string | undefined
  AWS_SECRET_ACCESS_KEY?: string | undefined
  AWS_SESSION_TOKEN?: string | undefined
  AWS_REGION?: string | undefined
  AWS_ENDPOINT_URL?: string | undefined
}

/** Attempts after the first for what may pass (5xx, 429, a broken connection); the wait doubles from the base. */
const RETRIES = 6
const RETRY_BASE_MS = 100

/**
 * `s3://bucket/prefix`: objects of any server that speaks S3, signed with version 4 signatures. One PUT an object, so
 * at most 5 GiB each.
 * @throws GradusError GRD-CLI-002 for another address, GRD-STORE-001 without keys
 */
export function s3Store(address: string, env: S3Environment = process.env): ObjectStore {
  const parts = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*?))?\/?$/.exec(address)
  if (!parts) {
    throw new GradusError('GRD-CLI-002', { found: address, expected: 's3://bucket/prefix' })
  }
  const [, bucket = '', prefix = ''] = parts
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  if (!accessKeyId || !secretAccessKey) {
    throw new GradusError('GRD-STORE-001', {
      where: { file: address },
      found: 'no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
      try: ['set both on every machine; AWS_ENDPOINT_URL and AWS_REGION where they differ from the usual'],
    })
  }
  const region = env.AWS_REGION ?? 'us-east-1'
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: 0,
    ...(env.AWS_SESSION_TOKEN && { sessionToken: env.AWS_SESSION_TOKEN }),
  })
  const endpoint = env.AWS_ENDPOINT_URL?.replace(/\/$/, '')
  const root = endpoint === undefined ? `https://${bucket}.s3.${region}.amazonaws.com` : `${endpoint}/${bucket}`
  const keyOf = (name: string): string => (prefix === '' ? name : `${prefix}/${name}`)
  const urlOf = (name: string): string => `${root}/${keyOf(name).split('/').map(encodeURIComponent).join('/')}`

  /** The answer with its body, once the server has stopped being busy. */
  async function ask(what: string, url: string, init: RequestInit = {}): Promise<{ status: number; body: Buffer }> {
    for (let attempt = 0; ; attempt++) {
      let problem: string
      let cause: unknown
      try {
        const response = await client.fetch(url, init)
        const body = Buffer.from(await response.arrayBuffer())
        if (response.status < 500 && response.status !== 429) return { status: response.status, body }
        problem = `HTTP ${response.status}`
      } catch (broken) {
        cause = broken
        problem = reasonOf(broken)
      }
      if (attempt === RETRIES) throw refused(what, problem, cause)
      await new Promise((resolve) => setTimeout(resolve, RETRY_BASE_MS * 2 ** attempt))
    }
  }

  const refused = (what: string, found: string, cause?: unknown): GradusError =>
    new GradusError('GRD-STORE-001', { where: { file: `${address}: ${what}` }, found, cause })
  const told = ({ status, body }: { status: number; body: Buffer }): string =>
    `HTTP ${status} ${tag(body.toString(), 'Code') ?? ''} ${tag(body.toString(), 'Message') ?? ''}`.trim()

  return {
    where: address,
    async put(name, bytes) {
      const reply = await ask(name, urlOf(name), { method: 'PUT', body: new Uint8Array(bytes) })
      if (reply.status !== 200) throw refused(name, told(reply))
    },
    async get(name) {
      const reply = await ask(name, urlOf(name))
      if (reply.status === 200) return reply.body
      if (reply.status !== 404) throw refused(name, told(reply))
      throw new GradusError('GRD-STORE-002', { where: { file: `${address}: ${name}` }, found: 'no such object' })
    },
    async sizes(wanted) {
      const sizes = new Map<string, number>()
      let more: string | undefined
      do {
        const query = new URLSearchParams({ 'list-type': '2', prefix: keyOf(wanted) })
        if (more !== undefined) query.set('continuation-token', more)
        const reply = await ask('the list', `${root}/?${query}`)
        if (reply.status !== 200) throw refused('the list', told(reply))
        const text = reply.body.toString()
        for (const [, content = ''] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
          const key = tag(content, 'Key') ?? ''
          sizes.set(prefix === '' ? key : key.slice(prefix.length + 1), Number(tag(content, 'Size')))
        }
        more = tag(text, 'NextContinuationToken')
      } while (more !== undefined)
      return sizes
    },
  }
}

/** Global `fetch` says only "fetch failed"; the system's error is its cause. */
function reasonOf(broken: unknown): string {
  if (!(broken instanceof Error)) return String(broken)
  return broken.cause instanceof Error && broken.cause.message !== '' ? broken.cause.message : broken.message
}

/** Text of the first such element of a flat XML answer. */
function tag(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(xml)?.[1]
    ?.replace(/&(lt|gt|quot|apos|amp|#\d+);/g, (_, entity: string) =>
      entity.startsWith('#') ? String.fromCodePoint(Number(entity.slice(1))) : (entryOf(ENTITIES, entity) ?? ''),
    )
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
