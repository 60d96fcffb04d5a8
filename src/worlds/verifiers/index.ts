import { bracketStack } from './bracket-stack.ts'
import { constraintSatisfaction } from './constraint-satisfaction.ts'
import { letterSorting } from './letter-sorting.ts'
import { multistepArithmetic } from './multistep-arithmetic.ts'
import { objectTracking } from './object-tracking.ts'
import type { Verifier } from './verifier.ts'

export const VERIFIERS: readonly Verifier[] = [
  bracketStack,
  constraintSatisfaction,
  letterSorting,
  multistepArithmetic,
  objectTracking,
]
