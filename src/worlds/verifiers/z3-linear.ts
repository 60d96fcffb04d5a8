import type { Arith, Bool, Context } from 'z3-solver'
import type { Linear, Solver } from './linear.ts'

/** Milliseconds that one question may take; linear facts over a dozen names take less than 100. */
const QUESTION_MS = 5_000

type Z3 = Context<'gradus'>

let context: Promise<Z3> | null = null

/**
 * Z3 is 35 MB of WebAssembly: loaded with the first question that needs it, once a process. Measured on two cores: the
 * first question takes about 1 s and 190 MB of memory, each further one 15 to 30 ms.
 */
async function load(): Promise<Z3> {
  const { init } = await import('z3-solver')
  const { Context } = await init()
  return Context('gradus')
}

/** Decides linear facts over the reals, or over whole numbers, under facts that always hold. */
export function z3Solver(kind: 'real' | 'integer', always: readonly Linear[]): Solver {
  return {
    async standing(premises, fact) {
      context ??= load()
      const z3 = await context
      const given = [...always, ...premises].map((p) => formula(z3, p, kind))
      const check = async (...extra: Bool<'gradus'>[]): Promise<'sat' | 'unsat' | 'unknown'> => {
        const solver = new z3.Solver()
        solver.set('timeout', QUESTION_MS)
        for (const f of [...given, ...extra]) solver.add(f)
        return solver.check()
      }
      const claim = formula(z3, fact, kind)
      const canBe = await check(claim)
      const canFail = await check(z3.Not(claim))
      if (canBe === 'unknown' || canFail === 'unknown') return 'unknown'
      if (canBe === 'unsat') return canFail === 'unsat' ? 'impossible' : 'contradicted'
      return canFail === 'unsat' ? 'entailed' : 'consistent'
    },
  }
}

function formula(z3: Z3, fact: Linear, kind: 'real' | 'integer'): Bool<'gradus'> {
  const number = (value: number): Arith<'gradus'> =>
    kind === 'integer' && Number.isInteger(value) ? z3.Int.val(value) : z3.Real.val(value)
  const variable = (name: string): Arith<'gradus'> => (kind === 'integer' ? z3.Int.const(name) : z3.Real.const(name))
  let sum: Arith<'gradus'> = number(0)
  for (const [name, coefficient] of fact.terms) sum = sum.add(variable(name).mul(number(coefficient)))
  const constant = number(fact.constant)
  const plain = {
    '=': () => sum.eq(constant),
    '<': () => sum.lt(constant),
    '<=': () => sum.le(constant),
    '!=': () => z3.Not(sum.eq(constant)),
  }[fact.relation]()
  return fact.or === undefined ? plain : z3.Or(plain, ...fact.or.map((other) => formula(z3, other, kind)))
}

/** Facts that make n names places 1 to n, each once. */
export function placesOf(names: readonly string[]): Linear[] {
  const facts: Linear[] = []
  names.forEach((name, i) => {
    facts.push({ terms: new Map([[name, -1]]), relation: '<=', constant: -1, says: `${name} has a place` })
    facts.push({ terms: new Map([[name, 1]]), relation: '<=', constant: names.length, says: `${name} has a place` })
    for (const other of names.slice(0, i)) {
      facts.push({
        terms: new Map([
          [name, 1],
          [other, -1],
        ]),
        relation: '!=',
        constant: 0,
        says: `${name} and ${other} have places of their own`,
      })
    }
  })
  return facts
}
