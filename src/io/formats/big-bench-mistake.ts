import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import type { Step } from '../../core/words.ts'
import { type Format, hasFields, parseRecord, share } from './format.ts'
import { importFirstError } from './gold.ts'
import { importedFirstError } from './write.ts'

const Row = z.strictObject({
  input: z.string(),
  target: z.string(),
  /** null where the source found no answer in the last step. */
  answer: z.string().nullable(),
  steps: z.array(z.string()),
  mistake_index: z.number().int().nonnegative().nullable(),
})

/**
 * BIG-Bench-Mistake: index of the first mistake from 0, null = none.
 *
 * The prompt is `input`; the file name is the task. Outcome compares `answer` with `target` as the source prints them.
 */
export const bigBenchMistake: Format = {
  name: 'big-bench-mistake',
  summary: 'first mistake in chains of thought of five BIG-bench tasks',
  home: 'https://github.com/WHGTyen/BIG-Bench-Mistake',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'mistake_index', 'steps', 'target')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    if (row.answer === null) at.odd('no answer', `line ${at.line}`)
    const right = row.answer?.trim() === row.target.trim()
    const firstError = row.mistake_index ?? -1
    if (firstError >= 0 && right) at.odd('right answer, wrong process', `line ${at.line}`)
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: { id: contentHash(row.input).slice(0, 16), prompt: row.input, answer: row.target, domain: at.stem },
        steps: row.steps.map((text): Step => ({ text, kind: 'thought' })),
        ...(row.answer !== null && { answer: row.answer }),
        outcome: right ? 1 : 0,
        ...importFirstError(firstError, row.steps.length, at, {
          dataset: 'big-bench-mistake',
          field: 'mistake_index',
          raw: row.mistake_index,
        }),
        source: { generator: 'PaLM 2-L', dataset: 'big-bench-mistake', licence: 'Apache-2.0' },
      },
    ]
  },
  write: (traces) =>
    traces.map((trace) => {
      const firstError = importedFirstError(trace, 'big-bench-mistake')
      return {
        input: trace.problem.prompt,
        target: trace.problem.answer ?? '',
        answer: trace.answer ?? null,
        steps: trace.steps.map((s) => s.text),
        mistake_index: firstError === -1 ? null : firstError,
      }
    }),
}
