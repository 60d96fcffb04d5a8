import type { Method } from '../../core/method.ts'
import type { Evidence, Trace, Usage } from '../../core/words.ts'
import type { OutcomeCheck, StepWriter } from '../../engine/rollout.ts'
import type { Reliability, VerifyContext } from '../../worlds/verifiers/verifier.ts'

/** What an annotator cannot work without; checked before anything is spent. */
export type Need = 'policy' | 'answer' | 'reference'

/** What an annotator may use beside the trace. */
export interface AnnotateContext extends VerifyContext {
  /** Who continues prefixes; present where the annotator needs `policy`. */
  policy?: StepWriter
  /** Decides whether a continuation ends right; present where the annotator needs `policy`. */
  check?: OutcomeCheck
  /** Names every random choice. */
  seed: string
  /** Called with what was spent, as it is spent. */
  spend(usage: Usage): void
}

/** A method that looks at a trace and stores what it saw; it never makes a label. */
export interface Annotator extends Method {
  needs: readonly Need[]
  /** Runs code of the trace; left out by default where no isolating sandbox is there. */
  runsCode: boolean
  /** How far its tool evidence may be trusted; without it `tool-reliability` leaves the evidence out. */
  reliability?: Reliability
  /** Cheap: can it say anything about such a trace? */
  applies(trace: Trace): boolean
  annotate(trace: Trace, context: AnnotateContext): Promise<Evidence[]>
}
