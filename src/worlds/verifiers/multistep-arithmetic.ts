import { z } from 'zod'
import { arithmeticRuns, equalValues, evaluate, isPartOf, sides, type Token, write } from './bracketed-arithmetic.ts'
import { type Claim, judge, list, replaySteps, statedAnswer } from './replay.ts'
import type { Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

/** Words around the expression of a problem, characters; more make it a word problem, which this cannot read. */
const WORDS_AROUND = 60
const MIN_OPERATORS = 2

/**
 * Recomputes the rewriting of a bracketed expression.
 *
 * Every side of a chain of equals signs must have the same value; parts that get a name must be parts of the problem,
 * be copied rightly where they are taken up, and be put together to the value of the problem.
 */
export const multistepArithmetic: Verifier = {
  name: 'multistep-arithmetic',
  summary: 'recomputes each rewriting of a bracketed expression',
  options: z.object({}),
  covers:
    'problems that are one arithmetic expression, solved by named parts or chains of equations; abstains on steps without an equation or an answer',
  runsCode: false,
  reliability: {
    incorrect: 0.958,
    correct: 0.996,
    scope: 'step',
    measured:
      'BIG-Bench-Mistake, multi-step arithmetic, tune half: 68 of 70 steps found wrong and 242 of 242 found right, (k + 1) / (n + 2); 49 of 361 steps undecided',
  },
  applies: (trace) => readProblem(trace.problem.prompt) !== null,
  verify(trace) {
    const problem = readProblem(trace.problem.prompt)
    if (problem === null) return trace.steps.map(() => UNKNOWN('the problem is no arithmetic expression'))
    const replay = startReplay(problem)
    return replaySteps(trace, (text) => judge(replay(text), 'no equation or answer in this step'))
  },
}

interface Problem {
  expression: Token[]
  value: number
}

function readProblem(prompt: string): Problem | null {
  if (prompt.length > 20_000) return null
  const letters = prompt.match(/[A-Za-z]/g)?.length ?? 0
  if (letters > WORDS_AROUND) return null
  for (const run of arithmeticRuns(prompt)) {
    const all = sides(run)
    const expression = all[0]
    if (all.length !== 1 || expression === undefined) continue
    if (expression.filter((t) => /^[-+*/]$/.test(t)).length < MIN_OPERATORS) continue
    const value = evaluate(expression, new Map())
    if (value !== null) return { expression, value }
  }
  return null
}

interface Part {
  expression: Token[]
  value: number
}

function startReplay(problem: Problem): (text: string) => Claim[] {
  const parts = new Map<string, Part>()
  return (text) => {
    const values = new Map([...parts].map(([name, part]) => [name, part.value]))
    const claims: Claim[] = []
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.slice(0, text.search(/\banswer(?:\s+is|\s*[:=])/i))
    const runs = arithmeticRuns(body)
    const templates: Token[][] = []
    const named = new Set<string>()
    for (const run of runs) {
      const chain = sides(run)
      const head = chain[0]
      if (head === undefined) continue
      if (chain.length === 1) {
        if (head.some((t) => /^[A-Z]$/.test(t)) && head.length > 2) templates.push(head)
        continue
      }
      const name = head.length === 1 && /^[A-Z]$/.test(head[0] ?? '') ? head[0] : undefined
      const first = chain[1]
      if (name !== undefined && first !== undefined && !parts.has(name)) {
        const value = evaluate(first, values)
        if (value === null) {
          claims.push({ says: `${name} = ${write(first)}`, holds: null })
          continue
        }
        claims.push(partClaim(name, first, value, problem))
        parts.set(name, { expression: first, value })
        values.set(name, value)
        named.add(name)
      } else if (name !== undefined && first !== undefined && named.has(name)) {
        claims.push(...secondClaim(name, first, values))
        continue
      }
      claims.push(...chainClaims(chain, values))
    }
    if (named.size > 0) for (const template of templates) claims.push(...wholeClaim(template, values, problem))
    if (answer !== null) claims.push(...answerClaim(answer, problem))
    return claims
  }
}

function partClaim(name: string, expression: readonly Token[], value: number, problem: Problem): Claim {
  const says = `${name} is ${write(expression)} of the problem`
  const isNumber = expression.every((t) => /^[-\d.]+$/.test(t)) && expression.length < 3
  const hasNames = expression.some((t) => /^[A-Z]$/.test(t))
  if (isNumber || hasNames || isPartOf(expression, problem.expression)) return { says, holds: true }
  if (equalValues(value, problem.value)) return { says, holds: true }
  return { says, holds: false, instead: `${write(expression)} is no part of the problem`, restates: true }
}

/** A name that gets a second value in the step that gave it the first. */
function secondClaim(name: string, expression: readonly Token[], values: ReadonlyMap<string, number>): Claim[] {
  const value = evaluate(expression, values)
  const says = `${name} = ${write(expression)}`
  if (value === null) return [{ says, holds: null }]
  if (equalValues(value, values.get(name) ?? Number.NaN)) return [{ says, holds: true }]
  return [{ says, holds: false, instead: `${name} is given two values`, restates: true }]
}

/** Each side of a chain against the one before it. */
function chainClaims(chain: readonly Token[][], values: ReadonlyMap<string, number>): Claim[] {
  const claims: Claim[] = []
  let last: { side: Token[]; value: number } | null = null
  for (const side of chain) {
    const value = evaluate(side, values)
    if (value === null) {
      claims.push({ says: write(side), holds: null })
      continue
    }
    if (last !== null) {
      const says = `${write(last.side)} = ${write(side)}`
      claims.push(
        equalValues(last.value, value)
          ? { says, holds: true }
          : {
              says,
              holds: false,
              instead: `${write(last.side)} is ${number(last.value)}, but ${write(side)} is ${number(value)}`,
            },
      )
    }
    last = { side, value }
  }
  return claims
}

function wholeClaim(template: readonly Token[], values: ReadonlyMap<string, number>, problem: Problem): Claim[] {
  const value = evaluate(template, values)
  const says = `${write(template)} is the problem`
  if (value === null) {
    const missing = template.filter((t) => /^[A-Z]$/.test(t) && !values.has(t))
    const instead = `the plan ${write(template)} does not say what ${list(missing)} is`
    return missing.length === 0 ? [] : [{ says, holds: false, instead, restates: true }]
  }
  if (equalValues(value, problem.value)) return [{ says, holds: true }]
  const instead = `with these parts ${write(template)} is ${number(value)}, but the problem is ${number(problem.value)}`
  return [{ says, holds: false, instead, restates: true }]
}

function answerClaim(answer: string, problem: Problem): Claim[] {
  const run = arithmeticRuns(answer)[0]
  const side = run && sides(run).at(-1)
  const value = side ? evaluate(side, new Map()) : null
  if (value === null) return []
  const says = `the answer is ${number(value)}`
  if (equalValues(value, problem.value)) return [{ says, holds: true }]
  return [
    { says, holds: false, instead: `the problem is ${number(problem.value)}, so the answer is not ${number(value)}` },
  ]
}

const number = (value: number): string => String(Number(value.toPrecision(12)))
