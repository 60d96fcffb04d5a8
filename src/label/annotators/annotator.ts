import type { Method } from '../../core/method.ts'
import type { Evidence, Trace } from '../../core/words.ts'
import type { VerifyContext } from '../../worlds/verifiers/verifier.ts'

/** A method that looks at a trace and stores what it saw; it never makes a label. */
export interface Annotator extends Method {
  /** Cheap: can it say anything about such a trace? */
  applies(trace: Trace): boolean
  /** Runs code of the trace; left out by default where no isolating sandbox is there. */
  runsCode: boolean
  annotate(trace: Trace, context: VerifyContext): Promise<Evidence[]>
}
