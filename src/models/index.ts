/** Endpoints (who answers), policies (who writes steps) and reward models (who scores them). */
export * from './endpoints/index.ts'
export * from './policies/index.ts'
export * from './rewards/index.ts'
// Endpoints have a `Scored` of texts; by this name people want that of steps.
export type { Scored } from './rewards/reward.ts'
