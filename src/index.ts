/** The words of Gradus, its errors, seeds, hashes and the split. Rooms are subpaths: `gradus/io`, `gradus/label`, ... */
export {
  describePlace,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  explain,
  GradusError,
  type Place,
} from './core/errors.ts'
export { canonicalJson, contentHash } from './core/hash.ts'
export { LIMITS } from './core/limits.ts'
export type { Method, OptionsOf } from './core/method.ts'
export { type Random, random } from './core/seeds.ts'
export { type Half, half, questionKey, questionOf } from './core/split.ts'
export { type Node, ROOT, Tree, type TreeJson } from './core/tree.ts'
export * from './core/words.ts'
