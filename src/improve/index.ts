/** How scores buy accuracy. */
export { CandidatePool, type PoolOptions } from './search/candidates.ts'
export { SEARCHES } from './search/index.ts'
export {
  type Candidate,
  type Search,
  type SearchBudget,
  type SearchContext,
  type SearchEvent,
  type Solution,
  solveWith,
} from './search/search.ts'
