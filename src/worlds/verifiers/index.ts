import { algebra } from './algebra.ts'
import { arithmetic } from './arithmetic.ts'
import { bracketStack } from './bracket-stack.ts'
import { constraintSatisfaction } from './constraint-satisfaction.ts'
import { javascriptExecution } from './javascript-execution.ts'
import { letterSorting } from './letter-sorting.ts'
import { multistepArithmetic } from './multistep-arithmetic.ts'
import { objectTracking } from './object-tracking.ts'
import { pythonExecution } from './python-execution.ts'
import { toolSchema } from './tool-schema.ts'
import type { Verifier } from './verifier.ts'

/** Every verifier; heavy libraries are loaded by the first trace that needs them. */
export const VERIFIERS: readonly Verifier[] = [
  arithmetic,
  algebra,
  bracketStack,
  constraintSatisfaction,
  letterSorting,
  multistepArithmetic,
  objectTracking,
  pythonExecution,
  javascriptExecution,
  toolSchema,
]
