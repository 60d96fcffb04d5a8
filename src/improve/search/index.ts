import { adaptiveHalting } from './adaptive-halting.ts'
import { bestOfN } from './best-of-n.ts'
import { diverseTree } from './diverse-tree.ts'
import { majority } from './majority.ts'
import { mcts } from './mcts.ts'
import { refinedBestOfN } from './refined-best-of-n.ts'
import type { Search } from './search.ts'
import { selfCorrection } from './self-correction.ts'
import { stepBeam } from './step-beam.ts'
import { treeOfThoughts } from './tree-of-thoughts.ts'
import { weightedVote } from './weighted-vote.ts'

export const SEARCHES: readonly Search[] = [
  bestOfN,
  majority,
  weightedVote,
  stepBeam,
  diverseTree,
  mcts,
  treeOfThoughts,
  refinedBestOfN,
  selfCorrection,
  adaptiveHalting,
]
