import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type TooLong, wholeLines } from './lines.ts'

async function through(limit: number, chunks: readonly Buffer[]): Promise<{ lines: string[]; refused: TooLong[] }> {
  const refused: TooLong[] = []
  const lines: string[] = []
  const stream = wholeLines(limit, (line) => refused.push(line))
  stream.on('data', (line: Buffer) => lines.push(line.toString()))
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await once(stream, 'end')
  return { lines, refused }
}

const cutAt = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

describe('lines from a client', () => {
  it('come through whole wherever they were cut, and those beyond the limit do not', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\n', ' '))
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 50 }), async (texts, size) => {
        const { lines, refused } = await through(60, cutAt(Buffer.from(texts.map((t) => `${t}\n`).join('')), size))
        const long = texts.filter((t) => Buffer.byteLength(t) > 60)
        expect(lines).toEqual(texts.filter((t) => !long.includes(t)).map((t) => `${t}\n`))
        expect(refused.map((r) => r.bytes)).toEqual(long.map((t) => Buffer.byteLength(t)))
      }),
    )
  })

  const params = { name: 'x', arguments: { trace: `"id":9} ${'a'.repeat(5_000)} ,"id":8}` } }
  it.each([
    ['first', { jsonrpc: '2.0', id: 7, method: 'tools/call', params }, 7],
    ['last', { method: 'tools/call', params, jsonrpc: '2.0', id: 'a-7' }, 'a-7'],
    ['last but one', { method: 'tools/call', params, id: 7, jsonrpc: '2.0' }, 7],
    ['nowhere', { jsonrpc: '2.0', method: 'tools/call', params }, undefined],
    ['in the middle', { jsonrpc: '2.0', method: 'a', id: 3, params }, undefined],
  ])('that are too long are answered by the id of the request where it stands %s', async (_, message, id) => {
    const { lines, refused } = await through(1_000, cutAt(Buffer.from(`${JSON.stringify(message)}\n{}\n`), 333))
    expect(refused).toEqual([{ bytes: JSON.stringify(message).length, id }])
    expect(lines).toEqual(['{}\n'])
  })
})
