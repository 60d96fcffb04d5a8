import { equalAnswers } from './equal-answers.ts'
import { findFirstError } from './find-first-error.ts'
import { inspectTraces } from './inspect-traces.ts'
import { listMethods } from './list-methods.ts'
import { scoreSteps } from './score-steps.ts'
import type { Tool } from './tool.ts'

/** What a server offers, in the order in which clients show it. */
export const TOOLS: readonly Tool[] = [findFirstError, scoreSteps, equalAnswers, inspectTraces, listMethods]
