/** Endpoints (who answers), policies (who writes steps) and reward models (who scores them). */
export * from './endpoints/index.ts'
export * from './policies/index.ts'
export { AGGREGATORS, type AggregatorName, aggregate } from './rewards/aggregators.ts'
export { oracleReward } from './rewards/oracle.ts'
export type { Line, RewardModel, Scored } from './rewards/reward.ts'
export { selfLogprob } from './rewards/self-logprob.ts'
