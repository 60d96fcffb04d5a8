import { codeVerifier } from './code-verifier.ts'
import { runPythonCells } from './python-cells.ts'
import type { Verifier } from './verifier.ts'

/**
 * Runs the Python of a trace in the sandbox: fenced blocks and interpreter calls, one state from cell to cell.
 *
 * A step is wrong when its code raises an error, when the output that it states is not the real one, or, at the last
 * step with code, when the tests of the problem fail. Limits, missing modules, files and network, unstable output and
 * everything after a failed cell are `unknown`.
 */
export const pythonExecution: Verifier = codeVerifier(
  {
    name: 'python-execution',
    summary: 'runs the Python of a trace and compares errors, stated outputs and tests',
    covers:
      'fenced Python and Python interpreter calls: errors, stated outputs, tests of the problem; not whether code that runs does what was asked where nothing states it',
    reliability: {
      incorrect: 0.98,
      correct: 0.99,
      scope: 'claims',
      measured:
        'tests only, with one added to each count: 374 model solutions to HumanEval and MBPP against their recorded outcome, tune half',
    },
  },
  'python',
  runPythonCells,
)
