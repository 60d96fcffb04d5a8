import type { Method } from '../../../core/method.ts'
import type { Message } from '../../endpoints/endpoint.ts'
import type { AggregatorName } from '../aggregators.ts'
import type { RewardModel } from '../reward.ts'

/**
 * How a published process reward model wants to be read, as data. One forward pass a solution in every form.
 *
 * What all mistakes with these models have in common is that they still give numbers: a separator that is two tokens, a
 * separator with or without a blank before it, softmax over the wrong pair. Hence the test at opening (`open.ts`).
 */
export type Form =
  /** A classifier with a row for each separator: the last of two values is "right", or one value is its logit. */
  | { kind: 'pooled'; chat(problem: string, steps: readonly string[]): Message[]; separator: Separator }
  /** The same, where problem and steps are tokenised each for itself and the separator is put between as a token. */
  | { kind: 'pooled-pieces'; before(problem: string): string; separator: Separator }
  /** A language model that writes one of two tokens after each separator. */
  | {
      kind: 'next-token'
      text(problem: string, steps: readonly string[]): string
      separator: Separator
      good: { text: string; id: number }
      bad: { text: string; id: number }
    }
  /** A language model that answers each step, as the user's turn, with one of two tokens. */
  | { kind: 'turns'; good: string; bad: string }
  /** Two language models: beta times the log-ratio of all that was written up to the end of the step. */
  | {
      kind: 'log-ratio'
      beta: number
      chat(problem: string, answer: string): Message[]
      /** Steps as they stand in the answer; joined by `joiner`. */
      steps(steps: readonly string[]): string[]
      joiner: string
    }

export interface Separator {
  /** As it stands in the text; must be exactly one token there. */
  text: string
  /** Its token id as published. */
  id?: number
}

export interface PrmAdapter extends Method {
  /** Where the form is published. */
  home: string
  /** By what its training labels meant. */
  meaning: RewardModel['meaning']
  aggregate: AggregatorName
  form: Form
}

/** `Step 1: ...`, as two of the training sets mark their steps; left as it is where it is marked already. */
export function numbered(steps: readonly string[]): string[] {
  return steps.map((step, i) => (/^\s*step\s+\d+/i.test(step) ? step : `Step ${i + 1}: ${step}`))
}
