import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JsonLine, readJsonLines } from './jsonl.ts'

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function all(text: string, size: number): Promise<JsonLine[]> {
  const out: JsonLine[] = []
  for await (const batch of readJsonLines(pieces(text, size), 'x.jsonl', true)) out.push(...batch)
  return out
}

describe('readJsonLines', () => {
  it('gives every value with its line and place whatever the chunks are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        async (values, size, end) => {
          const text = values.map((v) => JSON.stringify(v)).join('\n') + (end ? '\n' : '')
          const read = await all(text, size)
          expect(read.map((l) => [l.line, 'value' in l && l.value])).toEqual(
            values.map((v, i) => [i + 1, JSON.parse(JSON.stringify(v))]),
          )
          expect(read.map((l) => l.open === true)).toEqual(values.map((_, i) => !end && i === values.length - 1))
          const whole = Buffer.from(text)
          const placed = read.map(({ start = -1, bytes = -1 }) => whole.subarray(start, start + bytes).toString())
          expect(placed).toEqual(values.map((v) => JSON.stringify(v)))
        },
      ),
    )
  })

  it('names a broken line in the middle and keeps the others', async () => {
    const read = await all('{"a":1}\n{"a":\n\n{"a":3}\r\n', 1000)
    expect(read.map((l) => ('error' in l ? `${l.line} ${l.error.code}` : l.value))).toEqual([
      { a: 1 },
      '2 GRD-IO-005',
      { a: 3 },
    ])
  })

  it('is not fooled by lines that are only together valid', async () => {
    const read = await all('{"a":[{}\n{}]}\n', 1000)
    expect(read.map((l) => 'error' in l)).toEqual([true, true])
  })

  it('passes over a byte order mark', async () => {
    expect(await all('\ufeff{"a":1}\n', 1000)).toEqual([{ line: 1, start: 0, bytes: 10, value: { a: 1 } }])
  })
})
