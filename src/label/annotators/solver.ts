import { z } from 'zod'
import type { Evidence, Trace } from '../../core/words.ts'
import { type Audit, audit, DEFAULT_VARIANTS, type Difference, prepare } from '../../worlds/optimisation/audit.ts'
import { type ReadModel, readModel } from '../../worlds/optimisation/read-model.ts'
import { highs } from '../../worlds/optimisation/solve.ts'
import type { Annotator } from './annotator.ts'

/**
 * Audits a model of an optimisation problem against the model of the reference solution, clause by clause and by solving
 * both under five variants of the data: a flawed model is caught even where its optimum is right.
 *
 * The step that states a flawed part is wrong, with the point that shows it; steps all of whose parts agree are right. A
 * part that is missing is told of the first step after the model, where it is used without it, else of the last step of
 * the model. Without a reference there is no evidence, with a line that cannot be read or with
 * other variables it says why it cannot say.
 *
 * @see papers/steporlm.md (section 4, verifier levels)
 */
export const solver: Annotator = {
  name: 'solver',
  summary: 'solves the stated optimisation model and the reference under variants of the data',
  paper: 'steporlm',
  options: z.object({}),
  needs: ['reference'],
  rule: 'tool-reliability',
  runsCode: false,
  reliability: {
    incorrect: 0.99,
    correct: 0.98,
    scope: 'claims',
    measured:
      'injected errors and rewrites of random plans and NL4OPT models, whole models, truth by enumeration (bench/solver-audit.ts); rounded down',
  },
  applies: (trace) => referenceOf(trace) !== null && trace.steps.some((s) => MODEL_LINE.test(s.text)),
  async annotate(trace, context) {
    const wanted = referenceOf(trace)
    if (wanted === null) return []
    const stated = readModel(trace.steps)
    if (!stated.ok) return [tool(stated.step, 'unknown', `cannot say: ${stated.why}`, null)]
    const engine = await highs()
    const seed = `${context.seed}/${trace.problem.id}`
    const reference = prepare(wanted.model, engine, { variants: DEFAULT_VARIANTS, seed })
    return evidenceOf(trace, stated.read, audit(reference, stated.read.model, engine))
  },
}

/** Cheap sign of a model among the steps: an objective. */
const MODEL_LINE = /\b(max|min)(imi[sz]e|imum)?\b|"sense"\s*:/i

function referenceOf(trace: Trace): ReadModel | null {
  const steps = trace.problem.solution
  if (!steps) return null
  const reading = readModel(steps.map((text) => ({ text })))
  return reading.ok ? reading.read : null
}

function evidenceOf(trace: Trace, read: ReadModel, result: Audit): Evidence[] {
  const detail = { optima: result.optima, sameOptimum: result.sameOptimum }
  const parts = partSteps(read)
  if (result.verdict === 'undecided') {
    return [...parts].map((step) => tool(step, 'unknown', `cannot say: ${result.reason}`, detail))
  }
  const wrong = new Map<number, Difference[]>()
  for (const difference of result.differences) {
    const step = stepOf(trace, read, difference)
    wrong.set(step, [...(wrong.get(step) ?? []), difference])
  }
  return [...new Set([...parts, ...wrong.keys()])]
    .sort((a, b) => a - b)
    .map((step) => {
      const differences = wrong.get(step)
      if (!differences) return tool(step, 'correct', 'this part of the model is that of the reference', detail)
      return tool(step, 'incorrect', reasonOf(differences, result), { ...detail, differences })
    })
}

function reasonOf(differences: readonly Difference[], result: Audit): string {
  const says = differences.map((d) => d.says).join('; ')
  const hidden = result.sameOptimum ? ', although the optimum of the given data is right' : ''
  const point = differences.find((d) => d.point)
  const shown = point?.point
    ? ` (seen at ${Object.entries(point.point)
        .map(([name, value]) => `${name} = ${value}`)
        .join(', ')}${point.variant === 0 ? '' : `, variant ${point.variant} of the data`})`
    : ''
  return `${says}${hidden}${shown}`
}

/** Steps that state a part of the model. */
function partSteps(read: ReadModel): Set<number> {
  const { model } = read
  const origins = [
    ...model.constraints.map((_, index) => ({ kind: 'constraint', index }) as const),
    ...model.variables.flatMap(({ name: variable }) => [
      { kind: 'lower', variable } as const,
      { kind: 'upper', variable } as const,
    ]),
  ]
  const steps = [read.objective, ...origins.map(read.stepOf), ...model.variables.map((v) => read.wholeAt(v.name))]
  return new Set(steps.filter((step) => step !== null).sort((a, b) => a - b))
}

function stepOf(trace: Trace, read: ReadModel, { at }: Difference): number {
  const use = Math.min(read.last + 1, trace.steps.length - 1)
  if (at === null) return use
  if (at === 'objective') return read.objective
  if (at.kind === 'integrality') return read.wholeAt(at.variable) ?? use
  return read.stepOf(at) ?? use
}

function tool(step: number, verdict: 'correct' | 'incorrect' | 'unknown', reason: string, detail: unknown): Evidence {
  return { kind: 'tool', source: solver.name, step, verdict, reason, detail }
}
