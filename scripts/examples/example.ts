import type { Context, Evidence, Label, Step, Trace } from '../../src/core/words.ts'

/** One hand-written trace as it stands in this folder; `traceOf` makes the line of the shipped file from it. */
export interface Example {
  id: string
  /** Kind of problem, as `word problem`. */
  domain: string
  prompt: string
  /** The right answer. */
  answer: string
  context?: Context[]
  /** Plain text is a thought, the last one the answer. */
  steps: readonly (string | Step)[]
  /** What the trace answers. */
  final: string
  /** The first wrong step, from 0, and what is wrong with it; absent where every step is right. */
  wrong?: { step: number; note: string }
}

const ANNOTATOR = 'human:gradus'

export function call(tool: string, input: unknown, observation: string, text = ''): Step {
  return { text, kind: 'action', action: { tool, input }, observation }
}

/** A message of one agent among several. */
export function says(agent: string, text: string): Step {
  return { text, kind: 'thought', agent }
}

export function calls(agent: string, tool: string, input: unknown, observation: string, text = ''): Step {
  return { ...call(tool, input, observation, text), agent }
}

/** A step with a program, as models write it. */
export function program(language: 'python' | 'javascript', words: string, code: string, output?: string): Step {
  const stated = output === undefined ? '' : `\n\nOutput:\n\`\`\`\n${output}\n\`\`\``
  return { text: `${words}\n\n\`\`\`${language}\n${code.trim()}\n\`\`\`${stated}`, kind: 'thought' }
}

/**
 * The trace with its gold labels: right before the first wrong step, wrong there, nothing said after it; each label has
 * its evidence.
 */
export function traceOf(example: Example): Trace {
  const { id, domain, prompt, answer, context, final, wrong } = example
  const steps = example.steps.map((s, i): Step => {
    if (typeof s !== 'string') return s
    return { text: s, kind: i === example.steps.length - 1 ? 'answer' : 'thought' }
  })
  const judged = wrong === undefined ? steps.length : wrong.step + 1
  const evidence = Array.from({ length: judged }, (_, step): Evidence => {
    const head = { kind: 'human', source: ANNOTATOR, step } as const
    return step === wrong?.step ? { ...head, verdict: 'incorrect', note: wrong.note } : { ...head, verdict: 'correct' }
  })
  const labels: Label[] = [
    { meaning: 'first-error', value: wrong?.step ?? -1, source: ANNOTATOR },
    ...steps.map((_, step): Label => {
      const head = { step, meaning: 'correctness', source: ANNOTATOR } as const
      if (step >= judged) return { ...head, value: null, reason: 'after-first-error' }
      return { ...head, value: step === wrong?.step ? 0 : 1 }
    }),
  ]
  return {
    id,
    problem: { id, prompt, answer, ...(context && { context }), domain },
    steps,
    answer: final,
    outcome: final === answer ? 1 : 0,
    evidence,
    labels,
    source: { generator: 'hand-written', dataset: 'gradus-examples', licence: 'MIT' },
  }
}
