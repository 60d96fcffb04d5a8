import type { Method, OptionsOf } from '../../core/method.ts'
import type { Evidence, StepLabel } from '../../core/words.ts'

/**
 * A pure function from stored evidence to labels, so that changing a threshold or a rule costs no model call.
 */
export interface LabelRule extends Method {
  /**
   * @param steps number of steps of the trace; gives one label a step, in order
   */
  apply(steps: number, evidence: readonly Evidence[], options: OptionsOf<LabelRule>): StepLabel[]
}
