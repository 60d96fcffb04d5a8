import { agentprocessbench } from './agentprocessbench.ts'
import { bigBenchMistake } from './big-bench-mistake.ts'
import type { Format } from './format.ts'
import { intercode } from './intercode.ts'
import { mathShepherd } from './math-shepherd.ts'
import { mrBen } from './mr-ben.ts'
import { mrGsm8k } from './mr-gsm8k.ts'
import { native } from './native.ts'
import { omegaprm } from './omegaprm.ts'
import { openrlhf } from './openrlhf.ts'
import { parc } from './parc.ts'
import { prm800k } from './prm800k.ts'
import { prmbench } from './prmbench.ts'
import { processbench } from './processbench.ts'
import { roscoe } from './roscoe.ts'
import { tauBench } from './tau-bench.ts'
import { trl } from './trl.ts'
import { verl } from './verl.ts'
import { whoAndWhen } from './who-and-when.ts'

/** Every trace format, in the order in which ties of detection are settled. */
export const FORMATS: readonly Format[] = [
  native,
  processbench,
  bigBenchMistake,
  agentprocessbench,
  mrGsm8k,
  mrBen,
  prmbench,
  parc,
  roscoe,
  whoAndWhen,
  prm800k,
  mathShepherd,
  omegaprm,
  trl,
  openrlhf,
  verl,
  tauBench,
  intercode,
]
