import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import type { Label, Step } from '../../core/words.ts'
import { type Format, hasFields, others, parseRecord, place, share } from './format.ts'
import { importedEvidence } from './gold.ts'
import { judgedPrefix } from './trl.ts'

const Row = z.looseObject({ input: z.string(), label: z.array(z.union([z.string(), z.number()])) })

/** Placeholder of OpenRLHF's process-reward examples; it must be one token of the reward model's tokenizer. */
const PLACEHOLDER = ' ки'

/**
 * OpenRLHF's process-reward rows: steps joined with a placeholder after each, and a list of `+`/`-` or of floats.
 *
 * Floats are values; `+` and `-` are read as 1 and 0. Prompt and first step are parted by the first line break.
 */
export const openrlhf: Format = {
  name: 'openrlhf',
  summary: 'OpenRLHF process rewards: text with placeholders, list of labels',
  home: 'https://github.com/OpenRLHF/OpenRLHF',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) =>
    share(sample, (r) => hasFields(r, 'input', 'label') && Array.isArray((r as { label: unknown }).label)),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const parts = row.input.split(PLACEHOLDER)
    const rest = parts.pop() ?? ''
    if (rest.trim() !== '') at.odd('text after the last placeholder', `line ${at.line}`)
    const values = row.label.map((l) => (l === '+' ? 1 : l === '-' ? 0 : Number(l)))
    if (values.length !== parts.length || values.some((v) => Number.isNaN(v))) {
      throw new GradusError('GRD-IO-003', {
        where: place(at, 'label'),
        found: `${values.length} labels for ${parts.length} placeholders`,
        expected: 'one + , - or number for each placeholder',
      })
    }
    const cut = parts[0]?.indexOf('\n') ?? -1
    const prompt = cut >= 0 ? parts[0]!.slice(0, cut) : ''
    const texts = parts.map((p, i) => (i === 0 ? p.slice(cut + 1) : p.replace(/^\n/, '')))
    const extra = others(row, 'input', 'label')
    return [
      {
        id: `${at.stem}-${at.line}`,
        problem: { id: contentHash(questionKey(prompt)).slice(0, 16), prompt },
        steps: texts.map((text): Step => ({ text, kind: 'thought' })),
        evidence: row.label.map((l, step) => importedEvidence(step, l, at, { dataset: 'openrlhf' })),
        labels: values.map((value, step): Label => ({ step, meaning: 'value', value, source: 'imported:openrlhf' })),
        source: { generator: '', dataset: at.stem, licence: 'unknown' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => {
      const { texts, labels } = judgedPrefix(t, 'openrlhf')
      const hard = labels.every((v) => v === 0 || v === 1)
      const prompt = t.problem.prompt.replace(/\n/g, ' ')
      return {
        input: `${prompt}\n${texts.map((x) => `${x}${PLACEHOLDER}`).join('\n')}`,
        label: labels.map((v) => (hard ? (v === 1 ? '+' : '-') : v)),
      }
    }),
}
