import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import { anyText } from '../../core/unknown.ts'
import type { Label, Step, Trace } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, place, share } from './format.ts'
import { importedEvidence } from './gold.ts'
import { cannotHold } from './write.ts'

const Row = z.looseObject({ input: z.string(), label: z.string(), task: z.string() })

/** The step tag of the published files: a Cyrillic "ки". */
const TAG = 'ки'

/** Where the prompt ends. */
const START = /Step 1\s*:/

/**
 * Math-Shepherd: the solution with a tag after each step, and the same text with + or - in place of each tag.
 *
 * The prompt ends where "Step 1:" begins; steps that are not numbered are, when they are written.
 *
 * + means that some rollout from there succeeded (hard estimation), so the label is a `value`, not a correctness.
 */
export const mathShepherd: Format = {
  name: 'math-shepherd',
  summary: 'step tags "ки" and hard rollout estimates + / -',
  home: 'https://huggingface.co/datasets/peiyi9979/Math-Shepherd',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) =>
    share(
      sample,
      (r) => hasFields(r, 'input', 'label', 'task') && anyText((r as { input: unknown }).input).includes(` ${TAG}`),
    ),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const start = row.input.search(START)
    const prompt = row.input.slice(0, Math.max(0, start)).trimEnd()
    const texts = pieces(row.input.slice(Math.max(0, start)))
    const marks = marksOf(row.input, row.label)
    if (marks.length !== texts.length) {
      throw new GradusError('GRD-IO-003', {
        where: place(at, 'label'),
        found: `${marks.length} marks for ${texts.length} steps`,
        expected: 'one + or - for each step tag',
      })
    }
    const source = 'imported:math-shepherd'
    const extra = others(row, 'input', 'label', 'task')
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: { id: contentHash(questionKey(prompt)).slice(0, 16), prompt, domain: row.task },
        steps: texts.map((text): Step => ({ text, kind: 'thought' })),
        evidence: marks.map((m, step) => importedEvidence(step, m, at, { dataset: 'math-shepherd' })),
        labels: marks.map((m, step): Label => ({ step, meaning: 'value', value: m === '+' ? 1 : 0, source })),
        source: { generator: '', dataset: 'math-shepherd', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) => traces.map(write),
}

/** Steps between the tags, without the line breaks around them. */
function pieces(solution: string): string[] {
  const parts = solution.split(` ${TAG}`)
  const rest = parts.pop() ?? ''
  const texts = parts.map((p) => p.replace(/^\n/, ''))
  return rest.trim() === '' ? texts : [...texts, rest]
}

/** The label text differs from the input only at the tags. */
function marksOf(input: string, label: string): string[] {
  const marks: string[] = []
  let at = 0
  for (const part of input.split(TAG).slice(0, -1)) {
    at += part.length
    marks.push(label[at] ?? '')
    at += 1
  }
  return marks.filter((m) => m === '+' || m === '-')
}

function write(t: Trace): unknown {
  const marks = t.steps.map((_, step) => {
    const label =
      t.labels?.find((l) => l.meaning === 'value' && l.step === step) ??
      t.labels?.find((l) => l.meaning === 'correctness' && l.step === step)
    if (label === undefined || label.value === null)
      throw cannotHold(t, 'math-shepherd', `step ${step} has no value`, 'a value or correctness label for every step')
    return label.value > 0 ? '+' : '-'
  })
  if (START.test(t.problem.prompt))
    throw cannotHold(t, 'math-shepherd', 'a prompt with "Step 1:" in it', 'a prompt that ends where the steps begin')
  const numbered = t.steps[0] !== undefined && t.steps[0].text.search(START) === 0
  const texts = t.steps.map((s, i) => (numbered ? s.text : `Step ${i + 1}: ${s.text}`))
  const body = (mark: (step: number) => string): string => texts.map((text, i) => `${text} ${mark(i)}`).join('\n')
  return {
    input: `${t.problem.prompt} ${body(() => TAG)}`,
    label: `${t.problem.prompt} ${body((i) => marks[i]!)}`,
    task: t.problem.domain ?? '',
    ...t.extra,
  }
}
