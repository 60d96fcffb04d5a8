import { GradusError } from '../../core/errors.ts'
import { HttpClient, type HttpReply } from '../../engine/http.ts'
import { Key } from './key.ts'
import { type Json, parseAnswer, statusFault } from './wire.ts'

/** JSON over HTTP to one server, with its key. */
export interface JsonClient {
  /** Ends with a slash. */
  base: URL
  /** Takes our own key out of a text of the server. */
  hide(text: string): string
  /**
   * The head of a good answer; a body makes it a POST.
   * @throws Fault GRD-CALL-* for any status but 200
   */
  open(path: string, body: Json | null, signal: AbortSignal): Promise<HttpReply>
  /** @throws Fault GRD-CALL-* */
  ask(path: string, body: Json | null, signal: AbortSignal): Promise<Json>
}

/**
 * @param options.keyFrom NAME of the environment variable with the key; none is sent without
 * @throws GradusError GRD-CLI-002 for an address that is none or that holds a secret
 */
export function jsonClient(options: { url: string; keyFrom?: string }): JsonClient {
  const base = readUrl(options.url)
  const key = options.keyFrom === undefined ? undefined : new Key(options.keyFrom)
  const hide = (text: string): string => key?.hide(text) ?? text
  const client = new HttpClient()
  const addresses = new Map<string, URL>()
  const address = (path: string): URL => {
    const known = addresses.get(path) ?? new URL(path, base)
    addresses.set(path, known)
    return known
  }
  async function open(path: string, body: Json | null, signal: AbortSignal): Promise<HttpReply> {
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' }
    if (body) headers['content-type'] = 'application/json'
    if (key) headers['authorization'] = `Bearer ${key.read()}`
    const reply = await client.call({
      method: body ? 'POST' : 'GET',
      url: address(path),
      headers,
      ...(body && { body: JSON.stringify(body) }),
      signal,
    })
    if (reply.status === 200) return reply
    const text = await reply.text()
    throw statusFault(reply.status, reply.headers, key ? key.redact(text) : text)
  }
  return {
    base,
    hide,
    open,
    async ask(path, body, signal) {
      const reply = await open(path, body, signal)
      return parseAnswer(hide(await reply.text()))
    },
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text.endsWith('/') ? text : `${text}/`) : null
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new GradusError('GRD-CLI-002', {
      found: 'an address that is no http or https URL',
      expected: 'http://host:port/v1',
    })
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new GradusError('GRD-CLI-002', {
      found: `user, password or query in the address of ${url.host}`,
      expected: 'an address without secrets',
      try: ['put the key into an environment variable and give its name'],
    })
  }
  return url
}
