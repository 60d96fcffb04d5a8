import { alignment } from './alignment.ts'
import { averaged } from './averaged.ts'
import { consensus } from './consensus.ts'
import { faithfulness } from './faithfulness.ts'
import { firstErrorPosterior } from './first-error-posterior.ts'
import { hard } from './hard.ts'
import { relativeProgress } from './relative-progress.ts'
import type { LabelRule } from './rule.ts'
import { scores } from './scores.ts'
import { soft } from './soft.ts'
import { toolReliability } from './tool-reliability.ts'
import { toolVeto } from './tool-veto.ts'

export const RULES: readonly LabelRule[] = [
  toolReliability,
  hard,
  soft,
  relativeProgress,
  consensus,
  toolVeto,
  averaged,
  firstErrorPosterior,
  alignment,
  faithfulness,
  scores,
]
