/** How scores buy accuracy, and how they train a policy. */
export type { Attempt, Credit, Credited, CreditFlag, CreditStep } from './credit/credit.ts'
export { CREDITS } from './credit/index.ts'
export { type Candidate, CandidatePool, type PoolOptions, type Taken, type TakeOptions } from './search/candidates.ts'
export { answersOf, type SolveOptions, searchContext, solve } from './search/context.ts'
export { SEARCHES } from './search/index.ts'
export { Purse, type SearchBudget } from './search/purse.ts'
export {
  type Search,
  type SearchContext,
  type SearchEvent,
  type SearchFlag,
  type Solution,
  solveWith,
} from './search/search.ts'
