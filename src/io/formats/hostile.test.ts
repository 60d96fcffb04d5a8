import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { GradusError } from '../../core/errors.ts'
import { Trace } from '../../core/words.ts'
import { detectFormat, readTraces, sampleOf } from '../read.ts'
import { FORMATS } from './index.ts'
import { type Loose, NO_SAMPLES, sampleFiles, testAt } from './samples.testing.ts'

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

/** Folders whose smallest file says enough of their one format. */
const PUBLISHED = [
  'agentprocessbench/judge_step_labels/Llama-3.1-8B-Instruct',
  'big-bench-mistake',
  'intercode/runs',
  'mr-ben',
  'mr-gsm8k/judge_runs',
  'parc-perl',
  'prm-format-samples',
  'prmbench',
  'processbench',
  'roscoe',
  'swe-agent-trajectories',
  'tau-bench',
  'who-and-when',
]

const smallest = (folder: string, count: number): string[] =>
  sampleFiles(folder, /^(?!.*(chatml|few_shot|openai-error|no-samples)).*\.(json|jsonl)(\.gz)?$/)
    .sort((a, b) => statSync(a).size - statSync(b).size)
    .slice(0, count)

const small = [
  ...[...FOLDERS, 'inspect-logs'].flatMap((folder) => smallest(folder, 2)),
  ...PUBLISHED.flatMap((folder) => smallest(folder, folder === 'prm-format-samples' ? 9 : 1)),
]

/** What damaged, newer or hostile files put in the place of a value; some shadow what every object has. */
const HOSTILE: readonly unknown[] = [
  ...[null, '', -1, 1e300, true, [], {}, [null], [[]], { length: 5 }],
  ...['[', '{"toString":""}', '\u0000', '9'.repeat(400), 'constructor', '__proto__'],
  ...[{ toString: '', valueOf: '' }, [{ toString: '' }], { role: 'constructor', type: { toString: '' } }],
  JSON.parse('{"__proto__":{"a":1},"type":"x"}'),
]
const hostile = fc.oneof(fc.constantFrom(...HOSTILE), fc.jsonValue({ maxDepth: 2 }))

/** Positions of one record that are tried with every hostile value; spread over all of it. */
const POSITIONS = 40

type Path = readonly string[]

/** The paths of all values inside, parents first. */
function pathsIn(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...pathsIn(inner, [...at, key])])
}

function replaced(value: Loose, [key, ...rest]: Path, by: unknown): Loose {
  if (key === undefined) return by
  if (typeof value !== 'object' || value === null) return value
  const copy = Array.isArray(value) ? [...value] : { ...value }
  copy[key] = replaced(value[key], rest, by)
  return copy
}

/** One record of the file as its reader gets it, and what reading it may do: give whole traces or refuse with a code. */
async function damaging(path: string) {
  const sample = await sampleOf(path)
  const format = detectFormat(sample, path)
  const whole = format.unit === 'document' || (Array.isArray(sample.document) && format.oneRecord?.(sample.document))
  const record: unknown = whole ? sample.records : sample.records[0]
  const read = (damaged: unknown): void => {
    try {
      for (const trace of format.read(damaged, testAt())) Trace.parse(trace)
    } catch (error) {
      if (!(error instanceof GradusError)) throw error
    }
  }
  return { record, read, paths: pathsIn(record) }
}

describe.skipIf(NO_SAMPLES)('damaged records (needs GRADUS_DATA)', () => {
  it.each(small)('%s: one hostile value anywhere is read, or refused with a code', async (path) => {
    const { record, read, paths } = await damaging(path)
    const stride = Math.ceil(paths.length / POSITIONS)
    for (const at of paths.filter((_, i) => i % stride === 0)) {
      for (const value of HOSTILE) {
        const tried = () => read(replaced(record, at, value))
        expect(tried, `${at.join('.')} as ${JSON.stringify(value)}`).not.toThrow()
      }
    }
  })

  it.each(small)('%s: several at once too', async (path) => {
    const { record, read, paths } = await damaging(path)
    const damage = fc.array(fc.tuple(fc.constantFrom(...paths), hostile), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(damage, (list) => read(list.reduce((made, [at, value]) => replaced(made, at, value), record))),
      { numRuns: 60 },
    )
  })
})

describe('any JSON', () => {
  it('is read or refused by every format, and recognised without an error', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.jsonValue({ maxDepth: 4 })), (value) => {
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
