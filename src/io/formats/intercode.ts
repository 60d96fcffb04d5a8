import { z } from 'zod'
import { anyText } from '../../core/unknown.ts'
import type { Evidence, Label, Step } from '../../core/words.ts'
import { type At, type Format, hasFields, others, parseRecord } from './format.ts'
import { importedEvidence } from './gold.ts'

const History = z.looseObject({
  actions: z.array(z.unknown()),
  observations: z.array(z.unknown()).optional(),
  rewards: z.array(z.number()).optional(),
  valid_action: z.array(z.boolean().nullable()).optional(),
  thoughts: z.array(z.string().nullable()).optional(),
})
const Task = z.looseObject({
  task_id: z.union([z.number(), z.string()]).optional(),
  query: z.string(),
  environment: z.string().optional(),
  turn_history: History.optional(),
  trajectory: z.array(z.unknown()).optional(),
  reward: z.number().optional(),
  summary: z.looseObject({ max_reward: z.number().optional() }).optional(),
})

/**
 * InterCode runs: an action and its observation a turn, with the environment's reward after it (-1 to 1).
 *
 * The file is an object keyed by task number; each entry is a record. A turn's reward is kept as evidence; its label is
 * a `value`, clamped to [0, 1]. The people's SQL file has one reward for the whole run.
 */
export const intercode: Format = {
  name: 'intercode',
  summary: 'SQL, bash, Python and CTF episodes with a reward every turn',
  home: 'https://github.com/princeton-nlp/intercode',
  container: 'json',
  unit: 'record',
  detect: (sample) => (entries(sample.records[0]).some(([, v]) => isTask(v)) ? 1 : 0),
  unroll: (document) => entries(document).map(([key, value]) => ({ [key]: value })),
  read(record, at) {
    return entries(record).map(([key, value]) => {
      const row = parseRecord(Task, value, at)
      const { steps, rewards } = turns(row, at)
      const reward = row.reward ?? row.summary?.max_reward
      const extra = others(row)
      return {
        id: `${at.stem}-${key}`,
        problem: { id: row.query, prompt: row.query, domain: row.environment ?? at.stem },
        steps,
        ...(reward !== undefined && { outcome: clamp(reward) }),
        evidence: rewards.map((r, step): Evidence => importedEvidence(step, r, at, { dataset: 'intercode' })),
        labels: rewards.map(
          (r, step): Label => ({ step, meaning: 'value', value: clamp(r), source: 'imported:intercode' }),
        ),
        source: { generator: at.stem, dataset: 'intercode', licence: 'MIT' },
        extra: { key, record: extra },
      }
    })
  },
  write: (traces) => traces.map((t) => ({ [anyText(t.extra?.key ?? t.id)]: t.extra?.record ?? {} })),
}

const clamp = (r: number): number => Math.max(0, Math.min(1, r))

function entries(document: unknown): [string, unknown][] {
  return typeof document === 'object' && document !== null && !Array.isArray(document) ? Object.entries(document) : []
}

function isTask(value: unknown): boolean {
  return hasFields(value, 'query') && (hasFields(value, 'turn_history') || hasFields(value, 'trajectory'))
}

function turns(row: z.output<typeof Task>, at: At): { steps: Step[]; rewards: number[] } {
  const history = row.turn_history
  if (!history) return { steps: (row.trajectory ?? []).map((t) => trajectoryStep(t)), rewards: [] }
  const steps = history.actions.map((input, turn): Step => {
    const observation = history.observations?.[turn]
    return {
      text: history.thoughts?.[turn] ?? '',
      kind: 'action',
      action: { tool: row.environment ?? 'shell', input },
      ...(observation !== undefined && {
        observation: typeof observation === 'string' ? observation : JSON.stringify(observation),
      }),
    }
  })
  const rewards = history.rewards ?? []
  if (rewards.length !== steps.length) at.odd('rewards do not match turns', row.query.slice(0, 40))
  return { steps, rewards: rewards.slice(0, steps.length) }
}

/** `[action, observation]` pairs or plain text. */
function trajectoryStep(turn: unknown): Step {
  if (Array.isArray(turn)) {
    const [input, observation] = turn as unknown[]
    return { text: '', kind: 'action', action: { tool: 'sql', input }, observation: anyText(observation ?? '') }
  }
  return { text: typeof turn === 'string' ? turn : JSON.stringify(turn), kind: 'action' }
}
