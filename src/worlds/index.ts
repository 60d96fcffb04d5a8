/** Tools that decide steps, answers that say the same, tasks with exact oracles. */

export { type EqualOptions, equal, extractAnswer, type Verdict as EqualVerdict } from './answers/equal.ts'

/** Optimisation models: read, solved, audited against a reference. */
export { type Audit, audit, DEFAULT_VARIANTS, prepare } from './optimisation/audit.ts'
export { Model } from './optimisation/model.ts'
export { readModel } from './optimisation/read-model.ts'
export { highs } from './optimisation/solve.ts'
export type { Level, LevelName, Limits, Result, RunRequest } from './sandbox/index.ts'
/** Untrusted code, at the best level of the machine. */
export { probeLevels, run } from './sandbox/index.ts'
export { TASKS } from './tasks/index.ts'
export type { CompleterOptions, Injected, StepTruth, Task } from './tasks/task.ts'
export { VERIFIERS } from './verifiers/index.ts'
export type { Finding, Reliability, Verifier, VerifyContext } from './verifiers/verifier.ts'
