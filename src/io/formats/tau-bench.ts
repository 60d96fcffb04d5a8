import { z } from 'zod'
import type { Step } from '../../core/words.ts'
import { type At, type Format, hasFields, others, parseRecord, share } from './format.ts'

const Call = z.looseObject({
  id: z.string().optional(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
})
const Message = z.looseObject({
  role: z.string(),
  content: z.string().nullish(),
  name: z.string().optional(),
  tool_call_id: z.string().optional(),
  tool_calls: z.array(Call).nullish(),
})
type Message = z.output<typeof Message>
const Row = z.looseObject({
  task_id: z.number(),
  reward: z.number(),
  traj: z.array(Message),
  trial: z.number(),
  info: z.looseObject({ task: z.looseObject({ instruction: z.string() }).optional() }),
})

/**
 * tau-bench runs: one trajectory a task and trial, with its reward.
 *
 * A step is an assistant message or one of its tool calls (with the result of that call's id); what the simulated user
 * says is an observation step.
 */
export const tauBench: Format = {
  name: 'tau-bench',
  summary: 'tool-agent-user trajectories with a reward a trial',
  home: 'https://github.com/sierra-research/tau-bench',
  container: 'json',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'task_id', 'traj', 'trial', 'reward')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    const instruction = row.info.task?.instruction ?? ''
    const extra = others(row)
    return [
      {
        id: `${at.stem}-${row.task_id}-${row.trial}`,
        problem: { id: `${at.stem}-${row.task_id}`, prompt: instruction, domain: at.stem },
        steps: stepsOf(row.traj, at),
        outcome: row.reward,
        source: { generator: '', dataset: 'tau-bench', licence: 'MIT' },
        ...(extra && { extra }),
      },
    ]
  },
  write: (traces) => traces.map((t) => t.extra ?? {}),
}

function stepsOf(messages: readonly Message[], at: At): Step[] {
  const steps: Step[] = []
  const waiting = new Map<string, Step>()
  messages.forEach((m, origin) => {
    if (m.role === 'assistant') {
      if (m.content) steps.push({ text: m.content, kind: 'thought', origin })
      for (const call of m.tool_calls ?? []) {
        const step: Step = {
          text: '',
          kind: 'action',
          origin,
          action: {
            tool: call.function.name,
            input: call.function.arguments,
            ...(call.id !== undefined && { id: call.id }),
          },
        }
        steps.push(step)
        waiting.set(call.id ?? call.function.name, step)
      }
    } else if (m.role === 'tool') {
      const step = waiting.get(m.tool_call_id ?? '') ?? waiting.get(m.name ?? '')
      if (step) step.observation = m.content ?? ''
      else at.odd('result without call', `message ${origin}`)
    } else if (m.role === 'user') {
      steps.push({ text: m.content ?? '', kind: 'observation', agent: 'user', origin })
    }
  })
  return steps
}
