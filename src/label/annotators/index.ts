import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import { alphamath } from './alphamath.ts'
import type { Annotator } from './annotator.ts'
import { firstErrorLocator } from './first-error-locator.ts'
import { mcts } from './mcts.ts'
import { monteCarlo } from './monte-carlo.ts'
import { mutation } from './mutation.ts'
import { omegaprm } from './omegaprm.ts'
import { pathFaithfulness } from './path-faithfulness.ts'
import { REWARD_ANNOTATORS } from './reward.ts'
import { solver } from './solver.ts'
import { spare } from './spare.ts'
import { subtask } from './subtask.ts'
import { annotatorOf } from './verifier.ts'

export const ANNOTATORS: readonly Annotator[] = [
  ...VERIFIERS.map(annotatorOf),
  solver,
  mutation,
  monteCarlo,
  omegaprm,
  firstErrorLocator,
  mcts,
  alphamath,
  spare,
  subtask,
  pathFaithfulness,
  ...REWARD_ANNOTATORS,
]

/** What can look at any trace without a model or anything else; used where no annotator is named. */
export const OFFLINE_ANNOTATORS: readonly Annotator[] = ANNOTATORS.filter((a) => a.needs.length === 0)
