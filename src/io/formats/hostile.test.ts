import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { Trace } from '../../core/words.ts'
import { detectFormat, readTraces, sampleOf } from '../read.ts'
import { FORMATS } from './index.ts'
import { type Loose, NO_SAMPLES, sampleFiles, sampleText, testAt } from './samples.testing.ts'

const FOLDERS = [
  'ai-sdk-otel-spans',
  'ai-sdk-ui-stream',
  'anthropic-managed-agents',
  'anthropic-messages',
  'atif',
  'claude-code',
  'codex-cli',
  'gemini-cli',
  'jaeger',
  'langfuse',
  'langsmith',
  'mastra',
  'openai-chat',
  'openai-responses',
  'openhands',
  'openinference',
  'otel-genai',
  'other-providers',
  'otlp-tempo',
  'swe-agent',
].map((folder) => `trace-formats/${folder}`)

/** The two smallest files of each folder. */
const small = [...FOLDERS, 'inspect-logs'].flatMap((folder) =>
  sampleFiles(folder, /^(?!.*(chatml|openai-error|no-samples)).*\.(json|jsonl)(\.gz)?$/)
    .sort((a, b) => sampleText(a).length - sampleText(b).length)
    .slice(0, 2),
)

/** Any value in the place of any other: what damaged or newer files do. */
const junk = fc.oneof(
  fc.constantFrom(null, '', 0, -1, 1e300, true, [], {}, [null], [[]], '[', '{"a":', '\u0000', { type: 'x' }, [
    { role: 'tool' },
  ]),
  fc.jsonValue({ maxDepth: 2 }),
)

function replaced(value: Loose, path: readonly number[], by: unknown): unknown {
  const [head, ...rest] = path
  if (typeof value !== 'object' || value === null || head === undefined) return by
  const keys = Object.keys(value)
  const key = keys[head % Math.max(keys.length, 1)]
  if (key === undefined) return by
  const copy = Array.isArray(value) ? [...value] : { ...value }
  copy[key] = rest.length === 0 ? by : replaced(value[key], rest, by)
  return copy
}

describe.skipIf(NO_SAMPLES)('damaged records (needs GRADUS_DATA)', () => {
  it.each(small)('%s: read, or refused with a code', async (path) => {
    const sample = await sampleOf(path)
    const format = detectFormat(sample, path)
    const whole = format.unit === 'document' || (Array.isArray(sample.document) && format.oneRecord?.(sample.document))
    const record = whole ? sample.records : sample.records[0]
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 9 }), junk, (where, value) => {
        try {
          for (const trace of format.read(replaced(record, where, value), testAt())) Trace.parse(trace)
        } catch (error) {
          if (!(error instanceof GradusError)) throw error
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('any JSON', () => {
  it('is read or refused by every format, and recognised without an error', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const records = Array.isArray(value) ? value : [value]
        const sample = { path: 'x.json', container: 'json' as const, records, document: value, head: '' }
        for (const format of FORMATS) {
          expect(format.detect(sample)).toBeLessThanOrEqual(0.5)
          try {
            format.read(format.unit === 'document' ? records : value, testAt())
          } catch (error) {
            if (!(error instanceof GradusError)) throw error
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

const folder = mkdtempSync(join(tmpdir(), 'gradus-hostile-'))
afterAll(() => {
  if (existsSync(folder)) rmSync(folder, { recursive: true })
})
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('hostile files', () => {
  it('refuses what is nested deeper than it can walk', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const body = `{"choices":[{"message":{"role":"assistant","content":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":${deep}}}]}}]}`
    const { report } = await readTraces(file('deep.json', body)).catch((error: unknown) => {
      // parsing itself may refuse it first
      expect(error).toBeInstanceOf(GradusError)
      return { report: { rejectedByCode: { 'GRD-IO-010': 1 } } }
    })
    expect(report.rejectedByCode).toEqual({ 'GRD-IO-010': 1 })
  })

  it('reads ten thousand calls that share one id', async () => {
    const messages = Array.from({ length: 10_000 }, (_, i) => [
      { role: 'assistant', tool_calls: [{ id: 'same', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'same', content: String(i) },
    ]).flat()
    const { traces } = await readTraces(file('many.jsonl', `${JSON.stringify({ messages })}\n`))
    expect(traces[0]?.steps.map((s) => s.observation)).toEqual(Array.from({ length: 10_000 }, (_, i) => String(i)))
  })

  it.each([
    ['error.json', '{"error":{"message":"quota"}}'],
    ['numbers.json', '[1,2,3]'],
    ['table.csv', 'name,age\nAda,36\n'],
  ])('says that %s is no trace', async (name, text) => {
    await expect(readTraces(file(name, text))).rejects.toMatchObject({ code: 'GRD-IO-012' })
  })

  it.skipIf(process.platform !== 'linux')('leaves no file open when no format fits (looks at /proc)', async () => {
    const line = `${JSON.stringify({ noise: 'x'.repeat(5000) })}\n`
    const path = join(folder, 'noise.jsonl.gz')
    // level 0, so that much of the file is unread when the head is full
    writeFileSync(path, gzipSync(line.repeat(2000), { level: 0 }))
    const handles = (): number => readdirSync('/proc/self/fd').length
    const before = handles()
    for (let i = 0; i < 5; i++) await expect(readTraces(path)).rejects.toMatchObject({ code: 'GRD-IO-012' })
    await new Promise((go) => setTimeout(go, 50))
    expect(handles()).toBeLessThanOrEqual(before)
  })
})
