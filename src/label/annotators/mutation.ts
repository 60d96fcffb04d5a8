import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import type { Evidence, Trace } from '../../core/words.ts'
import { type Editable, pythonEdits, type Statement } from '../../worlds/mutation/edits.ts'
import { type MutantRuns, runMutants } from '../../worlds/mutation/run-mutants.ts'
import { cellsOf } from '../../worlds/verifiers/code-cells.ts'
import type { Annotator } from './annotator.ts'

/**
 * Labels a Python solution statement by statement: each is mutated and refactored by fixed rules, and the tests of the
 * problem say what became of it.
 *
 * A statement of a program that passes is right when the tests notice a mutation of it; one that they never run, or all
 * of whose mutants pass, gets `unknown`: the tests say nothing about it. Whether a candidate counts as right is what
 * execution says, not what the rule meant. A program that fails its own tests, or passes in one of two runs, is rejected.
 *
 * The candidates are kept in the evidence; `lineSamples` makes the training traces of the paper from them.
 *
 * @see papers/prlcoder.md (section 4)
 */
export const mutation: Annotator = {
  name: 'mutation',
  summary: 'mutates and refactors each Python statement and runs the tests of the problem',
  paper: 'prlcoder',
  options: z.object({}),
  needs: [],
  rule: 'tool-reliability',
  runsCode: true,
  reliability: {
    incorrect: 0.99,
    correct: 0.77,
    scope: 'claims',
    measured:
      'candidate lines of generated functions, labels by 3 tests against all 81 inputs (replications/prlcoder.ts)',
  },
  applies: (trace) => testsOf(trace) !== null && programOf(trace) !== null,
  async annotate(trace, context) {
    const tests = testsOf(trace)
    const program = programOf(trace)
    if (tests === null || program === null) return []
    const [first = 0] = program.starts.map((s) => s.step)
    const abstain = (why: string): Evidence[] => [tool(first, 'unknown', `cannot say: ${why}`)]
    if (!context.allowCode) return abstain('code may not run here')
    const editable = await pythonEdits(program.text)
    if (editable === null) return abstain('the program does not parse')
    try {
      const mutants = editable.edits.map((e) => e.program)
      const runs = await runMutants(program.text, mutants, tests, context.signal)
      const [once, again] = runs.base
      if (once.outcome !== again.outcome) return abstain('the program passes its tests in one of two runs')
      if (once.outcome !== 'passed') return abstain(`the program fails its own tests: ${once.why}`)
      return editable.statements.flatMap((_, i) => statementEvidence(program, editable, runs, i))
    } catch (error) {
      if (error instanceof GradusError && error.code === 'GRD-BOX-001') return abstain(error.message)
      throw error
    }
  },
}

/** What became of one candidate, as kept in the evidence. */
const Candidate = z.object({
  kind: z.enum(['mutation', 'refactoring']),
  operator: z.string(),
  candidate: z.string(),
  outcome: z.enum(['passed', 'failed', 'timeout', 'not-run']),
  why: z.string(),
})
type Candidate = z.infer<typeof Candidate>

const Detail = z.object({
  line: z.number().int(),
  statement: z.string(),
  /** Character of the program at which the statement begins. */
  start: z.number().int(),
  candidates: z.array(Candidate),
})
type Detail = z.infer<typeof Detail>

function statementEvidence(program: Program, editable: Editable, runs: MutantRuns, index: number): Evidence[] {
  const statement = editable.statements[index]
  if (!statement) return []
  const candidates = editable.edits.flatMap(({ kind, operator, candidate, statement: at }, i): Candidate[] => {
    const run = runs.mutants[i]
    return at === index && run ? [{ kind, operator, candidate, outcome: run.outcome, why: run.why }] : []
  })
  if (candidates.length === 0) return []
  const { start, end, line } = statement
  const detail: Detail = { line, statement: program.text.slice(start, end), start, candidates }
  const { verdict, says } = judged(candidates, isCovered(statement, runs.covered))
  return [tool(stepAt(program, start), verdict, `line ${line}: ${says}`, detail, runs.level)]
}

function judged(candidates: readonly Candidate[], covered: boolean): { verdict: 'correct' | 'unknown'; says: string } {
  const count = (kind: Candidate['kind'], passed: boolean): string => {
    const of = candidates.filter((c) => c.kind === kind)
    const hits = of.filter((c) => (passed ? c.outcome === 'passed' : caught(c)))
    return `${hits.length} of ${of.length} ${kind}s ${passed ? 'pass' : 'fail'}`
  }
  if (!covered) return { verdict: 'unknown', says: 'the tests never run it' }
  const says = `${count('mutation', false)}, ${count('refactoring', true)}`
  const noticed = candidates.some((c) => c.kind === 'mutation' && caught(c))
  return noticed
    ? { verdict: 'correct', says: `${says}; the tests pass with it as it stands` }
    : { verdict: 'unknown', says: `${says}; the tests notice no change of it` }
}

const caught = (c: Candidate): boolean => c.outcome === 'failed' || c.outcome === 'timeout'

function isCovered({ line, lastLine }: Statement, covered: readonly number[]): boolean {
  return covered.some((c) => c >= line && c <= lastLine)
}

/**
 * The training samples of the paper: for each candidate that ran, the lines before the statement and the candidate as the
 * last step, with what execution said as evidence on it. Pure: it reads stored evidence only.
 */
export function lineSamples(trace: Trace, evidence: readonly Evidence[]): Trace[] {
  const program = programOf(trace)
  if (program === null) return []
  return evidence.flatMap((e) => {
    const detail = e.kind === 'tool' && e.source === mutation.name ? Detail.safeParse(e.detail) : null
    return detail?.success ? samplesOf(trace, program, detail.data) : []
  })
}

function samplesOf(trace: Trace, program: Program, { start, statement, line, candidates }: Detail): Trace[] {
  const lineStart = program.text.lastIndexOf('\n', start - 1) + 1
  const before = program.text
    .slice(0, lineStart)
    .split('\n')
    .filter((text) => text.trim() !== '')
  const indent = program.text.slice(lineStart, start)
  const as = (text: string, id: string, wrong: boolean, why: string): Trace => ({
    id: `${trace.id}/${line}/${id}`,
    problem: trace.problem,
    steps: [...before, indent + text].map((text) => ({ text, kind: 'action' })),
    evidence: [tool(before.length, wrong ? 'incorrect' : 'correct', why)],
    source: trace.source,
  })
  const tried = candidates.filter((c) => c.outcome !== 'not-run')
  return [
    as(statement, 'reference', false, 'the line of the solution that passes'),
    ...tried.map((c, i) => as(c.candidate, String(i), caught(c), `${c.operator}: ${c.why || 'the tests pass'}`)),
  ]
}

/** A program and the step that each part of it stands in. */
interface Program {
  text: string
  starts: { at: number; step: number }[]
}

/** Fenced cells and interpreter calls, else all steps as one text, as splitters by line or statement leave them. */
function programOf(trace: Trace): Program | null {
  const cells = cellsOf(trace, 'python', true)
  const parts =
    cells.length > 0
      ? cells.map(({ code, step }) => ({ text: code, step }))
      : trace.steps.map(({ text }, step) => ({ text, step }))
  if (cells.length === 0 && !parts.some((p) => /^\s*(def|import|from|class)\s|^\s*\w+\s*=/m.test(p.text))) return null
  const program: Program = { text: '', starts: [] }
  for (const { text, step } of parts) {
    program.starts.push({ at: program.text.length, step })
    program.text += text.replaceAll('\r\n', '\n')
    if (!program.text.endsWith('\n')) program.text += '\n'
  }
  return program
}

function stepAt({ starts }: Program, at: number): number {
  return starts.findLast((s) => s.at <= at)?.step ?? 0
}

function testsOf(trace: Trace): string | null {
  const code = (trace.problem.context ?? []).flatMap((c) =>
    c.kind === 'tests' && c.language === 'python' ? [c.code] : [],
  )
  return code.length === 0 ? null : code.join('\n')
}

function tool(
  step: number,
  verdict: 'correct' | 'incorrect' | 'unknown',
  reason: string,
  detail?: Detail,
  level?: string,
): Evidence {
  const head = { kind: 'tool', source: mutation.name, step, verdict, reason } as const
  return { ...head, ...(detail && { detail }), ...(level !== undefined && { level }) }
}
