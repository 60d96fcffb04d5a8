import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Step, Trace } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, share } from './format.ts'
import { importFirstError } from './gold.ts'
import { importedFirstError } from './write.ts'

const Row = z.looseObject({
  id: z.union([z.string(), z.number()]),
  generator: z.string(),
  problem: z.string(),
  steps: z.array(z.string()),
  final_answer_correct: z.boolean(),
  label: z.number().int(),
})

/**
 * ProcessBench and files of its shape (MR-GSM8K was republished in it).
 *
 * `label` counts from 0, -1 = all correct. A wrong process can end in the right answer: `final_answer_correct` is the
 * outcome, never a label.
 */
export const processbench: Format = {
  name: 'processbench',
  summary: 'first wrong step of mathematical solutions, labelled by experts',
  home: 'https://huggingface.co/datasets/Qwen/ProcessBench',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'steps', 'label', 'final_answer_correct', 'problem')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const dataset = /mr_gsm8k/.test(at.stem) ? 'mr-gsm8k' : 'processbench'
    const gold = importFirstError(row.label, row.steps.length, at, { dataset, field: 'label', raw: row.label })
    if (row.label >= 0 && row.final_answer_correct) at.odd('right answer, wrong process', String(row.id))
    if (row.generator === '') at.odd('no generator', String(row.id))
    const extra = others(row, 'id', 'generator', 'problem', 'steps', 'final_answer_correct', 'label')
    return [
      {
        id: String(row.id),
        problem: { id: contentHash(questionKey(row.problem)).slice(0, 16), prompt: row.problem, domain: at.stem },
        steps: row.steps.map((text): Step => ({ text, kind: 'thought' })),
        outcome: row.final_answer_correct ? 1 : 0,
        ...gold,
        source: { generator: row.generator, dataset, licence: dataset === 'mr-gsm8k' ? 'MIT' : 'Apache-2.0' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) => traces.map(write),
}

function write(trace: Trace): unknown {
  return {
    id: trace.source.dataset === 'mr-gsm8k' ? Number(trace.id) : trace.id,
    generator: trace.source.generator,
    problem: trace.problem.prompt,
    steps: trace.steps.map((s) => s.text),
    final_answer_correct: (trace.outcome ?? 0) >= 0.5,
    label: importedFirstError(trace, 'processbench'),
    ...trace.extra,
  }
}
