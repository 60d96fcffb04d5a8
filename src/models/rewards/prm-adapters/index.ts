import { eurus } from './eurus.ts'
import type { PrmAdapter } from './form.ts'
import { mathShepherd } from './math-shepherd.ts'
import { qwenMathPrm } from './qwen-math-prm.ts'
import { reasonFlux } from './reasonflux.ts'
import { rlhflow } from './rlhflow.ts'
import { skyworkO1 } from './skywork-o1.ts'

export const PRM_ADAPTERS: readonly PrmAdapter[] = [mathShepherd, rlhflow, skyworkO1, qwenMathPrm, eurus, reasonFlux]
