import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { random } from '../../core/seeds.ts'
import { half } from '../../core/split.ts'
import type { Trace } from '../../core/words.ts'
import { dataFile, noData } from '../../testing/data.ts'
import { toolSchema } from './tool-schema.ts'

const here = !noData('bfcl-v4')

type Json = Record<string, unknown>
interface Call {
  question: string
  tools: { name: string; parameters?: unknown }[]
  tool: string
  input: Json
}

const rows = (file: string): Json[] => {
  const bytes = readFileSync(dataFile('bfcl-v4', file))
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** An accepted value: the first of the list that is not `''` (= may be left out); objects hold lists again. */
function accepted(values: unknown): unknown {
  return Array.isArray(values) ? plain(values.find((v) => v !== '')) : values
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' && value !== null ? unlisted(value as Json) : value
}

function unlisted(value: Json): Json {
  return Object.fromEntries(
    Object.entries(value)
      .map(([k, v]): [string, unknown] => [k, accepted(v)])
      .filter(([, v]) => v !== undefined),
  )
}

/** The gold calls of one half; every question of four categories. */
function goldCalls(which: 'tune' | 'report'): Call[] {
  const calls: Call[] = []
  for (const name of ['simple_python', 'multiple', 'parallel', 'parallel_multiple']) {
    const answers = new Map(
      rows(`possible_answer/BFCL_v4_${name}.jsonl`).map((r) => [r['id'], r['ground_truth'] as Json[]]),
    )
    for (const row of rows(`BFCL_v4_${name}.jsonl.gz`)) {
      const question = JSON.stringify(row['question'])
      if (half(question) !== which) continue
      for (const truth of answers.get(row['id']) ?? []) {
        for (const [tool, input] of Object.entries(truth)) {
          calls.push({ question, tools: row['function'] as Call['tools'], tool, input: unlisted(input as Json) })
        }
      }
    }
  }
  return calls
}

const verdict = async (call: Call, tool: string, input: unknown) => {
  const trace: Trace = {
    id: 'bfcl',
    problem: { id: 'bfcl', prompt: call.question, context: [{ kind: 'tools', tools: call.tools }] },
    steps: [{ text: '', kind: 'action', action: { tool, input } }],
    source: { generator: 'gold', dataset: 'bfcl-v4', licence: 'Apache-2.0' },
  }
  const findings = await toolSchema.verify(trace, { allowCode: false, allowLocalExec: false })
  return findings[0]
}

/** Changes after which a call is certainly wrong; null where the call does not allow the change. */
const CHANGES: Record<string, (call: Call, seed: string) => { tool?: string; input?: unknown } | null> = {
  'unknown tool': (call) => ({ tool: `${call.tool}_v2` }),
  'broken JSON': (call) => ({ input: JSON.stringify(call.input).slice(0, -1) }),
  'required argument dropped': (call, seed) => {
    const schema = call.tools.find((t) => t.name === call.tool)?.parameters as { required?: string[] } | undefined
    const required = (schema?.required ?? []).filter((name) => name in call.input)
    if (required.length === 0) return null
    const { [random(seed).pick(required)]: _, ...rest } = call.input
    return { input: rest }
  },
  'argument added': (call) => ({ input: { ...call.input, gradusUndeclared: 1 } }),
  'type changed': (call, seed) => {
    const names = Object.keys(call.input)
    if (names.length === 0) return null
    const name = random(seed).pick(names)
    const value = call.input[name]
    return { input: { ...call.input, [name]: typeof value === 'object' ? 'text' : { value } } }
  },
}

async function rates(which: 'tune' | 'report') {
  const calls = goldCalls(which)
  const share = (verdicts: (string | undefined)[], wanted: string) =>
    verdicts.filter((v) => v === wanted).length / verdicts.length
  const gold = await Promise.all(calls.map((call) => verdict(call, call.tool, call.input)))
  const changed: [string, number][] = []
  for (const [name, change] of Object.entries(CHANGES)) {
    const findings = calls.flatMap((call, i) => {
      const to = change(call, `0/bfcl/${name}/${i}`)
      return to ? [verdict(call, to.tool ?? call.tool, to.input ?? call.input)] : []
    })
    const verdicts = (await Promise.all(findings)).map((finding) => finding?.verdict)
    changed.push([name, share(verdicts, 'incorrect')])
  }
  return {
    calls: calls.length,
    gold: share(
      gold.map((f) => f?.verdict),
      'correct',
    ),
    misses: gold.filter((f) => f?.verdict !== 'correct').map((f) => f?.reason),
    changed: Object.fromEntries(changed),
  }
}

describe.skipIf(!here)(`tool-schema on BFCL v4${here ? '' : ' (GRADUS_DATA is not set)'}`, () => {
  it('passes the gold calls but for one that its own schema does not declare, and refuses changed ones', async () => {
    const tune = await rates('tune')
    expect(tune.misses).toEqual(['the call of bank.calculate_balance does not fit its schema: type is not declared'])
    expect(Math.min(...Object.values(tune.changed))).toBeGreaterThan(0.995)
  })
  it('does the same on the report half', async () => {
    const { calls, gold, changed } = await rates('report')
    console.info(`tool-schema, BFCL v4 report half: ${calls} gold calls`, { gold, ...changed })
    expect(gold).toBeGreaterThan(0.99)
    expect(Math.min(...Object.values(changed))).toBeGreaterThan(0.99)
  })
})
