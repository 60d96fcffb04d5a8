export type { Result } from './execute.ts'
export { CLAIMED, type Claim, type Language, type Level, type LevelName, type Limits } from './levels.ts'
export { probeLevels } from './probe.ts'
export { choose, type RunRequest, run } from './run.ts'
