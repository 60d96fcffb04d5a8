/** The stages of the command line as functions. */
export { annotatorsNamed, type BoundRule, labelTrace, labelTraces, relabelTrace } from './label.ts'
export { type BodySettings, openBody } from './open-body.ts'
export { openReward, type RewardSettings, readRewardSpec } from './open-reward.ts'
export { defineConfig, type RunConfigInput } from './run/config.ts'
export { type ScoredTrace, scoreTraces } from './score.ts'
