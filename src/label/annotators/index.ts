import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import type { Annotator } from './annotator.ts'
import { mutation } from './mutation.ts'
import { solver } from './solver.ts'
import { annotatorOf } from './verifier.ts'

export const ANNOTATORS: readonly Annotator[] = [...VERIFIERS.map(annotatorOf), solver, mutation]
