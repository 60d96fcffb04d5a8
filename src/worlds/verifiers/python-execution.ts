import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import { type Cell, cellsOf } from './code-cells.ts'
import { codeFindings } from './code-findings.ts'
import { runPythonCells } from './python-cells.ts'
import { type Finding, UNKNOWN, type Verifier } from './verifier.ts'

/**
 * Runs the Python of a trace in the sandbox: fenced blocks and interpreter calls, one state from cell to cell.
 *
 * A step is wrong when its code raises an error, when the output that it states is not the real one, or, at the last
 * step with code, when the tests of the problem fail. Limits, missing modules, files and network, unstable output and
 * everything after a failed cell are `unknown`.
 */
export const pythonExecution: Verifier = {
  name: 'python-execution',
  summary: 'runs the Python of a trace and compares errors, stated outputs and tests',
  covers:
    'fenced Python and Python interpreter calls: errors, stated outputs, tests of the problem; not whether code that runs does what was asked where nothing states it',
  options: z.object({}),
  runsCode: true,
  reliability: { incorrect: 0.9, correct: 0.9, scope: 'claims', measured: 'not yet' },
  applies: (trace) => pythonCells(trace).length > 0,
  async verify(trace, context) {
    const cells = pythonCells(trace)
    if (cells.length === 0) return trace.steps.map(() => UNKNOWN('no code in this step'))
    if (!context.allowCode) return undecided(trace, cells, 'code may not run here')
    try {
      const runs = await runPythonCells(
        cells.map((cell) => cell.code),
        pythonTests(trace),
        { allowLocal: context.allowLocalExec, ...(context.signal && { signal: context.signal }) },
      )
      return codeFindings(trace, cells, runs.cells, runs.tests, runs.level)
    } catch (error) {
      if (error instanceof GradusError && error.code === 'GRD-BOX-001') return undecided(trace, cells, error.message)
      throw error
    }
  },
}

function pythonTests(trace: Trace): string | null {
  const tests = (trace.problem.context ?? []).filter((c) => c.kind === 'tests' && c.language === 'python')
  return tests.length === 0 ? null : tests.map((c) => (c.kind === 'tests' ? c.code : '')).join('\n')
}

/** Where the problem has Python tests an unnamed fence is Python. */
function pythonCells(trace: Trace): Cell[] {
  return cellsOf(trace, 'python', pythonTests(trace) !== null)
}

function undecided(trace: Trace, cells: readonly Cell[], why: string): Finding[] {
  const withCode = new Set(cells.map((cell) => cell.step))
  return trace.steps.map((_, i) => UNKNOWN(withCode.has(i) ? why : 'no code in this step'))
}
