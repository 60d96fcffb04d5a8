import { arithmetic } from './arithmetic.ts'
import { javascriptExecution } from './javascript-execution.ts'
import { pythonExecution } from './python-execution.ts'
import { toolSchema } from './tool-schema.ts'
import type { Verifier } from './verifier.ts'

export const VERIFIERS: readonly Verifier[] = [arithmetic, javascriptExecution, pythonExecution, toolSchema]
