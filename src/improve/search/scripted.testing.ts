import { NO_USAGE, type Problem, type Step, type Usage } from '../../core/words.ts'
import type { StepWriter, Written } from '../../engine/rollout.ts'
import type { RewardModel } from '../../models/rewards/reward.ts'

export const PROBLEM: Problem = { id: 'p', prompt: 'go on' }

export const thought = (text: string): Step => ({ text, kind: 'thought' })
export const texts = (steps: readonly Step[]): string => steps.map((step) => step.text).join(' ')

/** A line is finished by a step that begins with `=`. */
export const answerOf = (steps: readonly Step[]): string | null => /^=(.*)/.exec(steps.at(-1)?.text ?? '')?.[1] ?? null

/** One call and ten tokens a step. */
export const COST: Usage = { ...NO_USAGE, calls: 1, completionTokens: 10 }

/** Writes by a table from the steps so far (`a b`) to samples of the next one, round and round; stops where there is no entry. */
export function scripted(table: Record<string, readonly string[]>): StepWriter & { asked: string[] } {
  const asked: string[] = []
  const stepAfter = (line: string, sample: number): string | undefined => {
    const entries = table[line] ?? []
    return entries[sample % entries.length]
  }
  return {
    name: 'scripted',
    identity: 'scripted',
    asked,
    async next(_, steps, sample): Promise<Written> {
      const line = texts(steps)
      asked.push(`${line}#${sample}`)
      const text = stepAfter(line, sample)
      if (text === undefined) return { ok: true, steps: [], end: 'stop', usage: COST }
      return { ok: true, steps: [thought(text)], end: 'step', usage: COST }
    },
    async complete(_, steps, sample): Promise<Written> {
      asked.push(`${texts(steps)}…#${sample}`)
      const added: Step[] = []
      for (;;) {
        const text = stepAfter(texts([...steps, ...added]), sample)
        if (text === undefined) return { ok: true, steps: added, end: 'stop', usage: COST }
        added.push(thought(text))
        if (text.startsWith('=')) return { ok: true, steps: added, end: 'stop', usage: COST }
      }
    },
  }
}

/** A reward model by the text of a step; free. */
export function scoring(
  of: (text: string) => number | null,
  aggregate: RewardModel['aggregate'] = 'last',
): RewardModel {
  return {
    name: 'scoring',
    identity: 'scoring',
    meaning: 'value',
    aggregate,
    score: async (lines) =>
      lines.map(({ steps }) => ({ ok: true, scores: steps.map(({ text }) => of(text)), usage: NO_USAGE })),
  }
}

/** The number at the end of a step as its score in hundredths: `a70` is .7. */
export const byNumber = scoring((text) => Number(/\d+$/.exec(text)?.[0] ?? '50') / 100)
