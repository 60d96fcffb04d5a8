import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CLIENT_FILE, clientFile, clientTypes } from './viewer-client.ts'

describe("the types of the viewer's client", () => {
  it('are those of the server as it is now', () => {
    expect(readFileSync(CLIENT_FILE, 'utf8')).toBe(clientFile())
  })

  it('say what may be absent or null, and what a request needs', () => {
    const text = clientTypes({
      paths: {
        '/x/{at}': {
          get: {
            parameters: [
              { name: 'at', in: 'path', required: true, schema: { type: 'integer' } },
              { name: 'q', in: 'query', schema: { type: 'string' } },
            ],
            responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } } },
          },
        },
      },
      components: {
        schemas: {
          A: {
            type: 'object',
            properties: {
              kind: { type: 'string', enum: ['one', 'two'] },
              value: { anyOf: [{ type: 'number' }, { type: 'null' }] },
              'odd-name': { type: ['string', 'null'] },
              pairs: {
                type: 'array',
                items: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
              },
              shares: { type: 'object', additionalProperties: { type: 'number' } },
            },
            required: ['kind', 'value'],
          },
        },
      },
    })
    expect(text).toContain(
      'export type A = { kind: "one" | "two"; value: number | null; "odd-name"?: string | null; ' +
        'pairs?: ([string, number])[]; shares?: { [name: string]: number } }',
    )
    expect(text).toContain('query?: { q?: string }; header?: never; path: { at: number }; cookie?: never')
    expect(text).toContain('200: { headers: { [name: string]: unknown }; content: { "application/json": A } }')
  })
})
