import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import { anyText } from '../../core/unknown.ts'
import type { Evidence, Label, Step } from '../../core/words.ts'
import { type Format, hasFields, parseRecord, place, share } from './format.ts'
import { importedEvidence } from './gold.ts'

const Row = z.strictObject({
  id: z.union([z.number(), z.string()]),
  instance: z.string(),
  annotations: z.record(z.string(), z.looseObject({ majority_human: z.union([z.string(), z.number()]).nullish() })),
})

/** Aspects whose "yes" makes a step wrong; grammar, redundancy and repetition are flaws of style. */
const WRONG = ['Factuality', 'Coherency and Logic', 'Final Answer', 'Hallucination', 'Commonsense', 'Arithmetic']

/**
 * ROSCOE as JUDGE-BENCH has it: nine aspects for one step a record (`stepwise`), or four for the whole response
 * (`overall`); "yes" = it HAS that error.
 *
 * Every record is a trace of its own with the whole response; in stepwise files only the step after "JUDGE:" is
 * labelled: wrong when a factual or logical aspect says yes. All aspects stay as evidence.
 */
export const roscoe: Format = {
  name: 'roscoe',
  summary: 'human yes/no on error aspects of single steps or whole responses',
  home: 'https://github.com/dmg-illc/JUDGE-BENCH',
  container: 'json',
  unit: 'record',
  detect: (sample) =>
    hasFields(sample.document, 'instances', 'annotations') && isRoscoe(sample.head) ? 1 : share(sample, isInstance),
  unroll: (document) => (document as { instances: unknown[] }).instances,
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const [before, after] = row.instance.split('GENERATED RESPONSE:\n')
    if (before === undefined || after === undefined) {
      throw new GradusError('GRD-IO-006', {
        where: place(at, 'instance'),
        found: row.instance.slice(0, 60),
        expected: 'text with "GENERATED RESPONSE:"',
      })
    }
    const [response, judged] = after.split(/\nJUDGE: /)
    const texts = (response ?? '')
      .replace(/\nJudge the generated response:\s*$/, '')
      .trim()
      .split(/\n(?=Step \d+ - )/)
    const step = judged === undefined ? null : texts.findIndex((t) => t.trim() === judged.trim())
    if (step === -1) at.odd('judged step is not in the response', String(row.id))
    const at_ = step === -1 ? null : step
    const evidence: Evidence[] = Object.entries(row.annotations).map(([aspect, value]) =>
      importedEvidence(at_, { aspect, ...value }, at, { dataset: 'roscoe' }),
    )
    const question = questionText(before)
    return [
      {
        id: `${at.stem}-${row.id}`,
        problem: {
          id: contentHash(questionKey(question)).slice(0, 16),
          prompt: before,
          question,
          domain: at.stem.split('-')[1] ?? at.stem,
        },
        steps: texts.map((text): Step => ({ text, kind: 'thought' })),
        evidence,
        labels: at_ === null ? [] : [label(at_, row.annotations)],
        source: { generator: '', dataset: 'roscoe', licence: 'MIT' },
        extra: { id: row.id, instance: row.instance, annotations: row.annotations },
      },
    ]
  },
  write: (traces) => traces.map((t) => t.extra ?? {}),
}

const isRoscoe = (head: string): boolean => head.slice(0, 400).includes('roscoe')
const isInstance = (r: unknown): boolean =>
  hasFields(r, 'instance', 'annotations') &&
  anyText((r as { instance: unknown }).instance).includes('GENERATED RESPONSE:')

function label(step: number, annotations: z.output<typeof Row>['annotations']): Label {
  const wrong = WRONG.some((aspect) => annotations[aspect]?.majority_human === 'yes')
  return { step, meaning: 'correctness', value: wrong ? 0 : 1, source: 'imported:roscoe' }
}

/** The data set's own question key: between "Question: " and "\Solution", else the whole context. */
function questionText(before: string): string {
  const asked = /Question: ([\s\S]*?)\n\\Solution/.exec(before)?.[1]
  return asked ?? before.split('CONTEXT:')[1] ?? before
}
