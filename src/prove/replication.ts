import type { Usage } from '../core/words.ts'
import type { Figure } from './benchmarks/benchmark.ts'

/** How a claim fared. */
export type Outcome = 'holds' | 'partly' | 'fails' | 'not testable offline'

export interface ReplicationContext {
  /** Quick mode ends within two minutes on two cores; full mode gives the table in the docs. */
  quick: boolean
  seed: string
  /** One line for a person who waits. */
  progress(line: string): void
}

/** One condition that was run. */
export interface Arm {
  name: string
  /** Is it a control that the method must beat? */
  control: boolean
  figures: Figure[]
  usage?: Usage
}

/** What a replication found. */
export interface ReplicationResult {
  /** Tables, one for each setting that was swept. */
  settings: { name: string; arms: Arm[] }[]
  outcome: Outcome
  /** One sentence: why this outcome follows from the rule. */
  because: string
  /** What else must be known: negative results, dead groups, deviations from the paper. */
  notes: string[]
}

/** A published claim against its controls; one file a paper in `replications/`. */
export interface Replication {
  /** Card of the paper. */
  paper: string
  title: string
  /** The claim in one sentence. */
  claim: string
  /** The rule, fixed before the run, by which the claim fails. */
  failsIf: string
  /** Task, policy, problems, seeds: what is run instead of the paper's models and data. */
  setting: string
  run(context: ReplicationContext): Promise<ReplicationResult>
}
