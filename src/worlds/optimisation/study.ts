import { random } from '../../core/seeds.ts'
import { type Audit, audit, prepare } from './audit.ts'
import { modelsDiffer } from './enumerate.ts'
import { drawFlaw, FLAWS, type FlawKind, rewrite } from './flaws.ts'
import { randomModel } from './generate.ts'
import type { Model } from './model.ts'
import type { Solver } from './solve.ts'

/** One audited candidate whose truth is known. */
export interface StudyCase {
  /** Number of the reference; cases of one reference are not independent. */
  group: number
  kind: FlawKind | 'rewrite'
  /** By enumeration: does the candidate differ on the given data, or on them or a variant? */
  differsHere: boolean
  differs: boolean
  verdict: Audit['verdict']
  /** What an outcome check sees: the optimum of the given data, and the optima of all data; true where it cannot say. */
  sameOptimum: boolean
  sameOptima: boolean
}

export interface StudyOptions {
  variants: number
  seed: string
}

/** `count` random models that have an optimum, every second one with whole variables. */
export function randomModels(count: number, seed: string, solver: Solver): Model[] {
  const models: Model[] = []
  for (let i = 0; models.length < count; i++) {
    const model = randomModel(random(`${seed}/model/${i}`), models.length % 2 === 0)
    const [given] = prepare(model, solver, { variants: 0, seed }).variants
    if (given?.solution.status === 'optimal') models.push(model)
  }
  return models
}

/**
 * One error of each kind in each model, then rewritten, and two rewrites without an error. Errors that need what a model
 * does not have are left out.
 */
export function study(models: readonly Model[], solver: Solver, options: StudyOptions): StudyCase[] {
  return models.flatMap((model, group) => {
    const draw = random(`${options.seed}/flaws/${group}`)
    const reference = prepare(model, solver, { variants: options.variants, seed: `${options.seed}/${group}` })
    const data = reference.variants.map((v) => v.data)
    const look = (kind: StudyCase['kind'], candidate: Model, differ: readonly boolean[]): StudyCase => {
      const { verdict, sameOptimum, optima } = audit(reference, candidate, solver)
      return {
        group,
        kind,
        differsHere: differ[0] ?? false,
        differs: differ.some(Boolean),
        verdict,
        sameOptimum: sameOptimum !== false,
        sameOptima: optima.every((o) => agree(o.reference, o.candidate)),
      }
    }
    const rewrites = [0, 1].map(() => look('rewrite', rewrite(model, draw), [false]))
    const flawed = FLAWS.flatMap((kind) => {
      const flaw = drawFlaw(kind, model, draw)
      if (flaw === null) return []
      const differ = data.map((d) => modelsDiffer(d, flaw(d)))
      return [look(kind, rewrite(flaw(model), draw), differ)]
    })
    return [...rewrites, ...flawed]
  })
}

function agree(a: number | string, b: number | string): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  return Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))
}
