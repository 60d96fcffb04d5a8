import { asObject, type JsonObject } from './loose.ts'

/** The JSON data of server-sent events in order; `[DONE]` and data that are not JSON objects are passed over. */
export function readEvents(text: string): JsonObject[] {
  return text.split(/\r?\n\r?\n/).flatMap((event): JsonObject[] => {
    const lines = event.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
    if (lines.length === 0) return []
    try {
      const data = asObject(JSON.parse(lines.join('\n')))
      return data ? [data] : []
    } catch {
      return []
    }
  })
}

export function looksLikeEvents(text: string): boolean {
  return /^(event|data|id|retry):/.test(text.trimStart()) && /^data:/m.test(text)
}

/** The body of a recorded HTTP exchange `{status, headers, body}`; undefined for anything else. */
export function recordedBody(record: JsonObject): unknown {
  return typeof record.body === 'string' && ('headers' in record || 'status' in record) ? record.body : undefined
}
