import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Trace, Verdict } from '../core/words.ts'
import type { Benchmark } from '../prove/benchmarks/benchmark.ts'
import type { Case, Predictor } from '../prove/cases.ts'

/** Values of a rule for one predictor, without resampling. */
export function valuesOf(rule: Benchmark, cases: readonly Case[], predictor: Predictor): Record<string, number> {
  return Object.fromEntries(
    rule.measures(cases, predictor.predictions).map((m) => [m.name, m.statistic(m.cases.map((_, i) => i))]),
  )
}

/** Records of a JSON or JSON Lines file, gzip or not, read without Gradus: for oracles. */
export function rawRecords<T>(path: string): T[] {
  const bytes = readFileSync(path)
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString()
  if (text.trimStart().startsWith('[')) return JSON.parse(text) as T[]
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

/** A small labelled trace; `marks` says of each step whether it is right (1), neutral (0) or wrong (-1). */
export function labelledTrace(
  id: string,
  dataset: string,
  marks: readonly (1 | 0 | -1)[],
  more: Partial<Trace> = {},
): Trace {
  const source = `imported:${dataset}`
  return {
    id,
    problem: { id, prompt: `question ${id}` },
    steps: marks.map((_, i) => ({ text: `step ${i}`, kind: 'thought' })),
    labels: [
      { meaning: 'first-error', value: marks.indexOf(-1), source },
      ...marks.map((m, step) =>
        m === 0
          ? ({ step, meaning: 'correctness', value: null, reason: 'neutral', source } as const)
          : ({ step, meaning: 'correctness', value: m === 1 ? 1 : 0, source } as const),
      ),
    ],
    source: { generator: '', dataset, licence: 'MIT' },
    ...more,
  }
}

/** A verdict with these risks; the first error is the first risk of at least one half unless given. */
export function verdictOf(
  risk: readonly (number | null)[],
  firstError: number | null = risk.findIndex((r) => r !== null && r >= 0.5),
): Verdict {
  return { risk: [...risk], firstErrorProb: [...risk.map(() => 0), 1], firstError }
}
