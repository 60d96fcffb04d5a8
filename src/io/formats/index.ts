import { agentprocessbench } from './agentprocessbench.ts'
import { bigBenchMistake } from './big-bench-mistake.ts'
import type { Format } from './format.ts'
import { native } from './native.ts'
import { processbench } from './processbench.ts'

/** Every trace format, in the order in which ties of detection are settled. */
export const FORMATS: readonly Format[] = [native, processbench, bigBenchMistake, agentprocessbench]
