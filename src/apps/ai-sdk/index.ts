/** Middleware for language models of the AI SDK (`ai` 7): answers by search, and a guard of an agent's steps. */
export { bestOfN, judgeOf, stepBeam } from './search.ts'
export { type GuardFinding, type GuardOptions, stepGuard } from './step-guard.ts'
