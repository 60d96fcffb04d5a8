import type { Credit } from './credit.ts'
import { dual } from './dual.ts'
import { logRatio } from './log-ratio.ts'
import { outcome } from './outcome.ts'
import { progress } from './progress.ts'
import { renorm } from './renorm.ts'
import { sameState } from './same-state.ts'
import { tree } from './tree.ts'

export const CREDITS: readonly Credit[] = [outcome, dual, renorm, progress, tree, sameState, logRatio]
