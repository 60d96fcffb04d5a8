import { arithmeticChain } from './arithmetic-chain.ts'
import { registerProgram } from './register-program.ts'
import { selfRepairingChain } from './self-repairing-chain.ts'
import type { Task } from './task.ts'

export const TASKS: readonly Task[] = [arithmeticChain, selfRepairingChain, registerProgram]
