import { z } from 'zod'
import type { Trace } from '../../core/words.ts'
import { type Linear, MAX_ENUMERATED, orderSolver, type Solver, sameFact } from './linear.ts'
import { type End, type OrderPuzzle, readOrderPuzzle } from './order-puzzle.ts'
import { type Claim, judge, replayStepsAsync, statedAnswer } from './replay.ts'
import type { Finding, Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

export const constraintSatisfaction: Verifier = {
  name: 'constraint-satisfaction',
  summary: 'compares stated facts with what the facts of the problem allow',
  options: z.object({}),
  covers: 'ordering puzzles',
  runsCode: false,
  reliability: { incorrect: 1, correct: 1, scope: 'claims', measured: 'not yet' },
  applies: (trace) => readOrderPuzzle(trace.problem.prompt) !== null,
  async verify(trace) {
    const puzzle = readOrderPuzzle(trace.problem.prompt)
    if (puzzle === null || puzzle.names.length > MAX_ENUMERATED)
      return trace.steps.map(() => UNKNOWN('the problem is no ordering puzzle that this can read'))
    return verifyOrder(trace, puzzle)
  },
}

function verifyOrder(trace: Trace, puzzle: OrderPuzzle): Promise<Finding[]> {
  const check = startOrder(puzzle, orderSolver(puzzle.names))
  return replayStepsAsync(trace, async (text) => judge(await check(text), 'no fact, order or answer in this step'))
}

function startOrder(puzzle: OrderPuzzle, solver: Solver): (text: string) => Promise<Claim[]> {
  const { premises, reader, names, options } = puzzle
  /** Premises that the steps have taken up so far. */
  const used: Linear[] = []
  let countsFrom: End = 'low'
  let placedBefore: Linear[] = []

  const follows = async (fact: Linear, mustBeUsed: boolean): Promise<Claim> => {
    const says = fact.says
    if ((await solver.standing(used, fact)) === 'entailed') return { says, holds: true }
    const standing = await solver.standing(premises, fact)
    if (standing === 'entailed')
      return mustBeUsed
        ? { says, holds: false, instead: `${says} does not follow from the facts taken up so far` }
        : { says, holds: null }
    if (standing === 'contradicted')
      return { says, holds: false, instead: `${says} contradicts the facts of the problem` }
    return { says, holds: false, instead: `${says} does not follow from the facts of the problem` }
  }

  return async (text) => {
    const claims: Claim[] = []
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.slice(0, text.search(/\b(?:so )?(?:the )?answer(?:\s+is|\s*[:=])/i))
    const listing = reader.listing(body)
    if (listing) countsFrom = listing.from
    const prose = listing
      ? body.slice(0, body.search(/\bfrom (?:the )?[a-z -]+? to (?:the )?[a-z -]+?(?:,| is| are)?\s*:/i))
      : body
    const newly: Linear[] = []
    for (const sentence of prose.split(/(?<=[.!?])\s+/)) {
      for (const { fact } of reader.facts(sentence, countsFrom)) {
        const premise = premises.find((p) => sameFact(p, fact))
        if (premise) {
          if (!used.some((u) => sameFact(u, premise))) {
            used.push(premise)
            newly.push(premise)
          }
          claims.push({ says: `${fact.says} is given`, holds: true })
        } else claims.push(await follows(fact, false))
      }
    }
    if (listing) {
      if (listing.last > names.length)
        claims.push({
          says: `there are ${listing.last} places`,
          holds: false,
          instead: `there are ${names.length} places, not ${listing.last}`,
        })
      for (const { fact } of listing.placed) claims.push(await follows(fact, true))
      for (const fact of [...newly, ...placedBefore]) {
        if (fact.relation !== '=' || listing.placed.some((p) => sameFact(p.fact, fact))) continue
        claims.push({
          says: 'the order keeps what is known',
          holds: false,
          instead: `the order leaves out that ${fact.says}`,
        })
      }
      placedBefore = listing.placed.map((p) => p.fact)
    }
    if (answer !== null) {
      const letter = /\(?\b([A-Z])\)?\s*\.?$/.exec(answer)?.[1]
      const option = letter === undefined ? undefined : options.get(letter)
      if (option) {
        const standing = await solver.standing(premises, option)
        const says = `the answer ${letter}: ${option.says}`
        claims.push(
          standing === 'entailed'
            ? { says, holds: true }
            : {
                says,
                holds: false,
                instead: `${option.says} ${standing === 'contradicted' ? 'contradicts' : 'does not follow from'} the facts of the problem`,
              },
        )
      }
    }
    return claims
  }
}
