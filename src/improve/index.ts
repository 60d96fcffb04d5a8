/** How scores buy accuracy. */
export { CandidatePool, type PoolOptions, type Taken, type TakeOptions } from './search/candidates.ts'
export { answersOf, type SolveOptions, searchContext, solve } from './search/context.ts'
export { SEARCHES } from './search/index.ts'
export { Purse } from './search/purse.ts'
export {
  type Candidate,
  type Search,
  type SearchBudget,
  type SearchContext,
  type SearchEvent,
  type SearchFlag,
  type Solution,
  solveWith,
} from './search/search.ts'
