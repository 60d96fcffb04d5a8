import { bestOfN } from './best-of-n.ts'
import type { Search } from './search.ts'

export const SEARCHES: readonly Search[] = [bestOfN]
