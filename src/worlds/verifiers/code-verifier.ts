import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import type { Language } from '../sandbox/index.ts'
import { type Cell, cellsOf } from './code-cells.ts'
import { type CellRuns, codeFindings } from './code-findings.ts'
import { type Finding, UNKNOWN, type Verifier, type VerifyContext } from './verifier.ts'

/** Runs cells in one state, then tests on that state. @throws GradusError GRD-BOX-001, GRD-BOX-002 */
export type RunCells = (
  cells: readonly string[],
  tests: string | null,
  options: { allowLocal: boolean; signal?: AbortSignal },
) => Promise<CellRuns>

/** A verifier that runs the code of one language; what its findings mean stands at `codeFindings`. */
export function codeVerifier(
  head: Pick<Verifier, 'name' | 'summary' | 'covers' | 'reliability'>,
  language: Language,
  runCells: RunCells,
): Verifier {
  return {
    ...head,
    options: z.object({}),
    runsCode: true,
    applies: (trace) => cells(trace, language).length > 0,
    verify: (trace, context) => verify(trace, context, language, runCells),
  }
}

async function verify(
  trace: Trace,
  context: VerifyContext,
  language: Language,
  runCells: RunCells,
): Promise<Finding[]> {
  const found = cells(trace, language)
  if (found.length === 0) return trace.steps.map(() => UNKNOWN(NO_CODE))
  if (!context.allowCode) return undecided(trace, found, 'code may not run here')
  try {
    const runs = await runCells(
      found.map((cell) => cell.code),
      tests(trace, language),
      { allowLocal: context.allowLocalExec, ...(context.signal && { signal: context.signal }) },
    )
    return codeFindings(trace, found, runs)
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRD-BOX-001') return undecided(trace, found, error.message)
    throw error
  }
}

const NO_CODE = 'no code in this step'

/** Where the problem has tests in this language an unnamed fence is of this language too. */
function cells(trace: Trace, language: Language): Cell[] {
  return cellsOf(trace, language, tests(trace, language) !== null)
}

function tests(trace: Trace, language: Language): string | null {
  const code = (trace.problem.context ?? []).flatMap((c) =>
    c.kind === 'tests' && c.language === language ? [c.code] : [],
  )
  return code.length === 0 ? null : code.join('\n')
}

function undecided(trace: Trace, found: readonly Cell[], why: string): Finding[] {
  const withCode = new Set(found.map((cell) => cell.step))
  return trace.steps.map((_, i) => UNKNOWN(withCode.has(i) ? why : NO_CODE))
}
