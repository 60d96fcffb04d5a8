import { agentprocessbenchRule } from './agentprocessbench.ts'
import type { Benchmark } from './benchmark.ts'
import { bigBenchMistakeRule } from './big-bench-mistake.ts'
import { firstErrorRule } from './first-error.ts'
import { mrScoreRule } from './mr-score.ts'
import { prmbenchRule } from './prmbench.ts'
import { processbenchRule } from './processbench.ts'
import { roscoeRule } from './roscoe.ts'
import { whoAndWhenRule } from './who-and-when.ts'

/** Published rules first; the general one comes last and applies to every set with labelled steps. */
export const BENCHMARKS: readonly Benchmark[] = [
  processbenchRule,
  prmbenchRule,
  mrScoreRule,
  whoAndWhenRule,
  agentprocessbenchRule,
  bigBenchMistakeRule,
  roscoeRule,
  firstErrorRule,
]
