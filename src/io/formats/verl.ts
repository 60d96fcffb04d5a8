import { z } from 'zod'
import { contentHash } from '../../core/hash.ts'
import { questionKey } from '../../core/split.ts'
import { anyText } from '../../core/unknown.ts'
import type { Label, Step } from '../../core/words.ts'
import { type Format, hasFields, parseRecord, share } from './format.ts'
import { importedEvidence } from './gold.ts'

const Row = z.looseObject({
  data_source: z.string(),
  prompt: z.array(z.looseObject({ role: z.string(), content: z.string() })),
  reward_model: z.looseObject({ ground_truth: z.unknown() }),
  extra_info: z
    .looseObject({
      index: z.union([z.number(), z.string()]).optional(),
      steps: z.array(z.string()).optional(),
      step_rewards: z.array(z.number().nullable()).optional(),
      generator: z.string().optional(),
    })
    .nullish(),
})

/**
 * verl's rows: `data_source`, a chat `prompt`, `reward_model.ground_truth`, and everything else under `extra_info`.
 *
 * Steps and step rewards stand under `extra_info.steps` and `extra_info.step_rewards` (null = cannot say), where a
 * custom reward function or advantage estimator reads them. Rows without steps give traces without steps.
 */
export const verl: Format = {
  name: 'verl',
  summary: "verl's training rows with steps and step rewards in extra_info",
  home: 'https://verl.readthedocs.io/en/latest/preparation/prepare_data.html',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'data_source', 'prompt', 'reward_model')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const prompt = row.prompt
      .filter((m) => m.role === 'user')
      .map((m) => m.content)
      .join('\n')
    const rewards = row.extra_info?.step_rewards ?? []
    const texts = row.extra_info?.steps ?? []
    if (texts.length === 0) at.odd('no steps', `row ${at.line}`)
    return [
      {
        id: String(row.extra_info?.index ?? `${at.stem}-${at.line}`),
        problem: {
          id: contentHash(questionKey(prompt)).slice(0, 16),
          prompt,
          answer: anyText(row.reward_model.ground_truth ?? ''),
          domain: row.data_source,
        },
        steps: texts.map((text): Step => ({ text, kind: 'thought' })),
        evidence: rewards.map((r, step) => importedEvidence(step, r, at, { dataset: 'verl' })),
        labels: rewards.map(
          (value, step): Label => ({
            step,
            meaning: 'value',
            value,
            source: 'imported:verl',
            ...(value === null && { reason: 'no-evidence' }),
          }),
        ),
        source: { generator: row.extra_info?.generator ?? '', dataset: row.data_source, licence: 'unknown' },
      },
    ]
  },
  write: (traces) =>
    traces.map((t) => ({
      data_source: t.problem.domain ?? t.source.dataset,
      prompt: [{ role: 'user', content: t.problem.prompt }],
      ability: 'reasoning',
      reward_model: { style: 'rule', ground_truth: t.problem.answer ?? '' },
      extra_info: {
        index: t.id,
        steps: t.steps.map((s) => s.text),
        step_rewards: t.steps.map(
          (_, step) =>
            t.labels?.find((l) => l.meaning !== 'first-error' && l.step === step && l.value !== null)?.value ?? null,
        ),
        generator: t.source.generator,
      },
    })),
}
