/**
 * Who pays and what resumes: budgets, concurrency, retries, cache, journal; `rollout` is the only code that continues a
 * trace.
 */
export { Budget, type BudgetLimits, type Reservation } from './budget.ts'
export { type Counts, Engine, type EngineOptions, type Outcome, sampleKey } from './engine.ts'
export { Fault } from './fault.ts'
export { stopOnInterrupt } from './interrupt.ts'
export type { History } from './journal.ts'
export { Progress, type ProgressState, progressLine } from './progress.ts'
export { RETRY, type RetryRule } from './retry.ts'
export {
  type ActingEnvironment,
  hasEnded,
  type Observed,
  type OutcomeCheck,
  type Rollout,
  type RolloutEnd,
  type RolloutOptions,
  rollout,
  rollouts,
  type StepWriter,
  type Weighed,
  type Written,
} from './rollout.ts'
export type { Answer, Sampler } from './sampler.ts'
