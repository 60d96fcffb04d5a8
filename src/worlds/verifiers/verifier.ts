import type { Method } from '../../core/method.ts'
import type { ToolVerdict, Trace } from '../../core/words.ts'

/** What a verifier found out about one step. */
export interface Finding {
  /** `unknown` = nothing in the step that this verifier can decide; never a vote. */
  verdict: ToolVerdict
  /** For people: what was checked and what came out, one sentence; for `unknown` why it abstains. */
  reason: string
  /** For programs: the single claims that were checked. JSON values only. */
  detail?: unknown
  /** Sandbox level that really applied, where code ran. */
  level?: string
}

/** What a verifier may use beside the trace. */
export interface VerifyContext {
  /** Code may run only when true; the sandbox still chooses the level. */
  allowCode: boolean
  /** Code may run at the level `local`, which isolates nothing. */
  allowLocalExec: boolean
  signal?: AbortSignal
}

/**
 * A tool that decides some steps and abstains on the rest.
 *
 * It looks at a whole trace, since most tools carry state from step to step; a search that wants the newest step only
 * takes the last finding. Verifiers know nothing of evidence stores and never look at labels or outcomes.
 */
export interface Verifier extends Method {
  /** What it covers, in a sentence; printed by `gradus methods`. */
  covers: string
  /** Runs code of the trace. */
  runsCode: boolean
  /** How far a finding may be trusted, measured on the tune half of the set named; see `label/rules/reliability.ts`. */
  reliability: Reliability
  /** Cheap: can this verifier say anything about such a trace? */
  applies(trace: Trace): boolean
  /** One finding a step. */
  verify(trace: Trace, context: VerifyContext): Finding[] | Promise<Finding[]>
}

export interface Reliability {
  /** P(the step is wrong | verdict incorrect). */
  incorrect: number
  /** P(the step is right | verdict correct). */
  correct: number
  /** Does `correct` mean that the whole step is right (a replayed procedure), or only its checked claims? */
  scope: 'step' | 'claims'
  /** Where the figures come from. */
  measured: string
}

export const UNKNOWN = (reason: string): Finding => ({ verdict: 'unknown', reason })
