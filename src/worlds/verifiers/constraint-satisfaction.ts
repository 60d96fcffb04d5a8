import { z } from 'zod'
import type { Trace } from '../../core/words.ts'
import { type Linear, MAX_ENUMERATED, orderSolver, type Solver, sameFact } from './linear.ts'
import { type End, type OrderPuzzle, readOrderPuzzle } from './order-puzzle.ts'
import { type QuantityProblem, readQuantities } from './quantity-facts.ts'
import { type Claim, judge, replayStepsAsync, statedAnswer } from './replay.ts'
import type { Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'
import { placesOf, z3Solver } from './z3-linear.ts'

/**
 * Compares what steps state with what the facts of the problem allow.
 *
 * Orders of up to eight things are decided by looking at every order, longer ones and linear facts about ages, prices
 * and counts by Z3. In an ordering puzzle a step may use only the facts that have been taken up so far: a place that
 * is right but does not follow yet is a guess, and wrong as a step.
 */
export const constraintSatisfaction: Verifier = {
  name: 'constraint-satisfaction',
  summary: 'compares stated facts with what the facts of the problem allow',
  options: z.object({}),
  covers:
    'ordering puzzles and linear facts about ages, prices and counts whose every sentence it can read; abstains on steps that state no such fact, and on facts that are possible but not implied',
  runsCode: false,
  reliability: {
    incorrect: 0.978,
    correct: 0.95,
    scope: 'claims',
    measured:
      'BIG-Bench-Mistake, logical deduction, tune half: 90 of 91 steps found wrong and 114 of 119 found right, (k + 1) / (n + 2); 103 of 313 steps undecided',
  },
  applies: (trace) => readOrderPuzzle(trace.problem.prompt) !== null || readQuantities(trace.problem.prompt) !== null,
  verify(trace) {
    const check = checkerOf(trace)
    if (check === null) return trace.steps.map(() => UNKNOWN('the problem states no facts that this can read'))
    return replayStepsAsync(trace, async (text) => judge(await check(text), 'no fact, order or answer in this step'))
  },
}

type Check = (text: string) => Promise<Claim[]>

function checkerOf(trace: Trace): Check | null {
  const puzzle = readOrderPuzzle(trace.problem.prompt)
  if (puzzle) {
    const isSmall = puzzle.names.length <= MAX_ENUMERATED
    return checkOrder(puzzle, isSmall ? orderSolver(puzzle.names) : z3Solver('integer', placesOf(puzzle.names)))
  }
  const problem = readQuantities(trace.problem.prompt)
  return problem && checkQuantities(problem, z3Solver('real', []))
}

function checkQuantities(problem: QuantityProblem, solver: Solver): Check {
  return async (text) => {
    const claims: Claim[] = []
    for (const fact of problem.read(text)) {
      const standing = await solver.standing(problem.premises, fact)
      const { says } = fact
      if (standing === 'entailed') claims.push({ says, holds: true })
      else if (standing === 'contradicted') claims.push({ says, holds: false, instead: contradicts(says) })
      else claims.push({ says, holds: null })
    }
    return claims
  }
}

const contradicts = (says: string): string => `"${says}" contradicts the facts of the problem`

function checkOrder(puzzle: OrderPuzzle, solver: Solver): Check {
  const { premises, reader, names } = puzzle
  /** Premises that the steps have taken up so far. */
  const used: Linear[] = []
  let countsFrom: End = 'low'
  let placedBefore: readonly Linear[] = []

  const claimOf = async (fact: Linear): Promise<Claim> => {
    const { says } = fact
    if ((await solver.standing(used, fact)) === 'entailed') return { says, holds: true }
    const standing = await solver.standing(premises, fact)
    if (standing === 'contradicted') return { says, holds: false, instead: contradicts(says) }
    if (standing === 'consistent') {
      return { says, holds: false, instead: `"${says}" does not follow from the facts of the problem` }
    }
    if (standing !== 'entailed' || used.length === 0) return { says, holds: null }
    return { says, holds: false, instead: `"${says}" does not follow from the facts taken up so far` }
  }
  /** Takes up the premises that a text restates and checks its other facts. */
  const proseClaims = async (prose: string): Promise<{ claims: Claim[]; taken: Linear[] }> => {
    const claims: Claim[] = []
    const taken: Linear[] = []
    for (const sentence of prose.split(/(?<=[.!?])\s+/)) {
      for (const fact of reader.facts(sentence, countsFrom)) {
        const premise = premises.find((p) => sameFact(p, fact))
        if (premise) {
          claims.push({ says: `it is given that ${fact.says}`, holds: true })
          if (!used.includes(premise)) {
            used.push(premise)
            taken.push(premise)
          }
        } else claims.push(await claimOf(fact))
      }
    }
    return { claims, taken }
  }

  return async (text) => {
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.slice(0, text.search(/\b(?:so )?(?:the )?answer(?:\s+is|\s*[:=])/i))
    const listing = reader.listing(body)
    if (listing) countsFrom = listing.from
    const { claims, taken } = await proseClaims(listing ? body.slice(0, listing.at) : body)
    if (listing) {
      if (listing.last > names.length) {
        const instead = `there are ${names.length} places, not ${listing.last}`
        claims.push({ says: `there are ${listing.last} places`, holds: false, instead })
      }
      for (const fact of listing.placed) claims.push(await claimOf(fact))
      for (const fact of [...taken, ...placedBefore]) {
        if (fact.relation !== '=' || listing.placed.some((p) => sameFact(p, fact))) continue
        claims.push({
          says: `the order shows that ${fact.says}`,
          holds: false,
          instead: `the order leaves out that ${fact.says}`,
        })
      }
      placedBefore = listing.placed
    }
    if (answer !== null) claims.push(...(await answerClaims(answer, puzzle, solver)))
    return claims
  }
}

/** An answer is judged by all facts of the problem, whether the steps have taken them up or not. */
async function answerClaims(answer: string, puzzle: OrderPuzzle, solver: Solver): Promise<Claim[]> {
  const letter = /\(([A-Z])\)/.exec(answer)?.[1] ?? /^\W*([A-Z])\W*$/.exec(answer)?.[1]
  const option = letter === undefined ? undefined : puzzle.options.get(letter)
  if (!option) return []
  const says = `the answer is that ${option.says}`
  const standing = await solver.standing(puzzle.premises, option)
  if (standing === 'entailed') return [{ says, holds: true }]
  if (standing === 'contradicted') return [{ says, holds: false, instead: contradicts(option.says) }]
  if (standing === 'consistent') {
    return [{ says, holds: false, instead: `"${option.says}" does not follow from the facts of the problem` }]
  }
  return [{ says, holds: null }]
}
