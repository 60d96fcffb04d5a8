import type { Benchmark } from './benchmark.ts'
import { firstErrorRule } from './first-error.ts'
import { processbenchRule } from './processbench.ts'

/** Published rules first; the general one comes last and applies to every set. */
export const BENCHMARKS: readonly Benchmark[] = [processbenchRule, firstErrorRule]
