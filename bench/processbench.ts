/**
 * The arithmetic and algebra verifiers alone on ProcessBench: `GRADUS_DATA=... node bench/processbench.ts [--json]`.
 *
 * A trace is flagged where a finding is `incorrect`; the first such step is compared with people's first error. Rules were
 * chosen on the tune half; the report half is for figures. MR-GSM8K stands beside as a second set.
 */
import { join } from 'node:path'
import { type Half, half, questionOf } from '../src/core/split.ts'
import type { Estimate } from '../src/core/stats/index.ts'
import { wilson } from '../src/core/stats/index.ts'
import type { Trace } from '../src/core/words.ts'
import { readTraces } from '../src/io/read.ts'
import { algebra } from '../src/worlds/verifiers/algebra.ts'
import { arithmetic } from '../src/worlds/verifiers/arithmetic.ts'
import type { Finding } from '../src/worlds/verifiers/verifier.ts'

const PARTS = ['gsm8k', 'math', 'olympiadbench', 'omnimath'] as const
const VERIFIERS = { both: [arithmetic, algebra], arithmetic: [arithmetic], algebra: [algebra] }
const CONTEXT = { allowCode: false, allowLocalExec: false }

interface Row {
  verifier: string
  half: Half
  part: string
  erroneous: number
  clean: number
  /** Erroneous traces with a flagged step, and how many of those at people's first error. */
  flagged: number
  first: number
  firstShare: Estimate
  /** Clean traces with a flagged step. */
  falseAlarms: number
  /** Shares of traces and of steps with a decided claim. */
  tracesDecided: number
  stepsDecided: number
}

async function findings(trace: Trace, names: keyof typeof VERIFIERS): Promise<Finding['verdict'][]> {
  const all = await Promise.all(VERIFIERS[names].map((v) => v.verify(trace, CONTEXT)))
  return trace.steps.map((_, i) => {
    const said = all.map((f) => f[i]?.verdict)
    return said.includes('incorrect') ? 'incorrect' : said.includes('correct') ? 'correct' : 'unknown'
  })
}

async function row(traces: readonly Trace[], verifier: keyof typeof VERIFIERS, side: Half, part: string): Promise<Row> {
  const count = { erroneous: 0, clean: 0, flagged: 0, first: 0, falseAlarms: 0, steps: 0, decided: 0, covered: 0 }
  for (const trace of traces) {
    const gold = trace.labels?.find((l) => l.meaning === 'first-error')?.value ?? null
    if (gold === null || half(questionOf(trace.problem)) !== side) continue
    const verdicts = await findings(trace, verifier)
    const first = verdicts.indexOf('incorrect')
    const decided = verdicts.filter((v) => v !== 'unknown').length
    count.steps += verdicts.length
    count.decided += decided
    if (decided > 0) count.covered++
    if (gold < 0) {
      count.clean++
      if (first >= 0) count.falseAlarms++
    } else {
      count.erroneous++
      if (first >= 0) count.flagged++
      if (first === gold) count.first++
    }
  }
  const { erroneous, clean, flagged, first, falseAlarms } = count
  const firstShare = wilson(first, flagged)
  const tracesDecided = count.covered / (erroneous + clean)
  const stepsDecided = count.decided / count.steps
  return {
    verifier,
    half: side,
    part,
    erroneous,
    clean,
    flagged,
    first,
    firstShare,
    falseAlarms,
    tracesDecided,
    stepsDecided,
  }
}

const data = process.env.GRADUS_DATA ?? ''
const read = async (...path: string[]): Promise<Trace[]> => (await readTraces(join(data, ...path))).traces
const sets = new Map<string, Trace[]>()
for (const part of PARTS) sets.set(part, await read('processbench', `${part}.json.gz`))
sets.set(
  'ProcessBench',
  PARTS.flatMap((part) => sets.get(part) ?? []),
)
sets.set('MR-GSM8K', await read('mr-gsm8k', 'mr_gsm8k_original_first_error.json.gz'))

const rows: Row[] = []
for (const verifier of Object.keys(VERIFIERS) as (keyof typeof VERIFIERS)[]) {
  for (const side of ['tune', 'report'] as const) {
    for (const [part, traces] of sets) {
      if (verifier === 'both' || part === 'ProcessBench') rows.push(await row(traces, verifier, side, part))
    }
  }
}

const percent = (x: number): string => (Number.isNaN(x) ? '-' : (100 * x).toFixed(1))
const decimals = (x: number): string => (Number.isNaN(x) ? '-' : x.toFixed(2).replace(/^0/, ''))
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else {
  console.log(
    '| verifier | half | part | erroneous | flagged | first flagged = first error | clean | false alarms | traces decided | steps decided |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|---|')
  for (const r of rows) {
    const share = `${r.first} = ${decimals(r.firstShare.value)} [${decimals(r.firstShare.low)}, ${decimals(r.firstShare.high)}]`
    const alarms = `${r.falseAlarms} (${percent(r.falseAlarms / r.clean)} %)`
    console.log(
      `| ${r.verifier} | ${r.half} | ${r.part} | ${r.erroneous} | ${r.flagged} | ${share} | ${r.clean} | ${alarms} | ${percent(r.tracesDecided)} % | ${percent(r.stepsDecided)} % |`,
    )
  }
}
