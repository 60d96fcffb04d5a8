import { algebra } from './algebra.ts'
import { arithmetic } from './arithmetic.ts'
import type { Verifier } from './verifier.ts'

export const VERIFIERS: readonly Verifier[] = [arithmetic, algebra]
