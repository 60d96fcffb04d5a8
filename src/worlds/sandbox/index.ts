export type { Result, Status } from './execute.ts'
export {
  CLAIMED,
  CLAIMS,
  type Claim,
  DEFAULT_LIMITS,
  type Language,
  LEVELS,
  type Level,
  type LevelName,
  type Limits,
} from './levels.ts'
export { probeLevels } from './probe.ts'
export { choose, type RunRequest, run } from './run.ts'
