import { arithmeticChain } from './arithmetic-chain.ts'
import { game24 } from './game24.ts'
import { hopworld } from './hopworld.ts'
import { imperative } from './imperative.ts'
import { objectTracking } from './object-tracking.ts'
import { registerProgram } from './register-program.ts'
import { selfRepairingChain } from './self-repairing-chain.ts'
import { tableProgram } from './table-program.ts'
import type { Task } from './task.ts'

/** Built-in tasks, the simplest first. */
export const TASKS: readonly Task[] = [
  arithmeticChain,
  selfRepairingChain,
  registerProgram,
  objectTracking,
  tableProgram,
  hopworld,
  imperative,
  game24,
]
