import { chainWalk } from './arithmetic-chain.ts'
import type { Task } from './task.ts'
import { walkTask } from './walk.ts'

/**
 * The arithmetic chain with a completer that notices its errors: after a wrong line it may restate it.
 *
 * Lines as in `arithmetic-chain`; `fix 45-9=36` restates the line before it, and the run goes on from there. An error
 * that is not restated at once stays. Chance of success from a right total with k lines to go, slip s and recovery r:
 * (1 - s) ((1 - s) / (1 - s r))^(k - 1). `maxLength` counts solutions without a repair; each repair adds at most the
 * length of the longest line and 5.
 *
 * `generate` gives clean solutions; texts with repairs, as a policy learns them from, come from `complete`.
 */
export const selfRepairingChain: Task = walkTask(
  chainWalk(
    [
      { says: '3 operations on one digit', operations: 3, largest: 9, times: 0, maxLength: 36 },
      { says: '4 operations on two digits', operations: 4, largest: 99, times: 0, maxLength: 64 },
      { says: '8 operations on two digits', operations: 8, largest: 99, times: 0, maxLength: 128 },
      { says: '16 operations on two digits', operations: 16, largest: 99, times: 0, maxLength: 272 },
      { says: '32 operations on two digits', operations: 32, largest: 99, times: 0, maxLength: 528 },
    ],
    {
      name: 'self-repairing-chain',
      summary: 'an arithmetic chain in which a wrong line may be restated',
      defaults: { slip: 0.1, recovery: 0.5 },
    },
  ),
)
