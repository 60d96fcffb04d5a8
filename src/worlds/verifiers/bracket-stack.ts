import { z } from 'zod'
import { type Claim, judge, replaySteps, statedAnswer } from './replay.ts'
import type { Verifier } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

const CLOSER: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' }
const BRACKETS = /[()[\]{}<>]/g
const BRACKET = /[()[\]{}<>]/

/** Longer prompts are no bracket sequence, characters. */
const PROMPT_CHARS = 20_000

/** Shortest sequence that counts as a bracket problem. */
const MIN_BRACKETS = 2

/**
 * Replays the stack of opening brackets that a step-by-step completion of a bracket sequence (a Dyck word) states.
 *
 * Each step must take the next symbol of the problem and state the stack after it; the closing lists (what is popped,
 * what is needed, the answer) must be those of the true final stack.
 */
export const bracketStack: Verifier = {
  name: 'bracket-stack',
  summary: 'replays the stack of a bracket sequence',
  options: z.object({}),
  covers:
    'completions of a bracket sequence over ( [ { < that state the stack after each symbol; abstains on steps without a symbol, a stack or an answer',
  runsCode: false,
  reliability: {
    incorrect: 0.995,
    correct: 0.999,
    scope: 'step',
    measured:
      'BIG-Bench-Mistake, Dyck languages, tune half: 206 of 206 steps found wrong and 3490 of 3493 found right, (k + 1) / (n + 2); 319 of 4018 steps undecided',
  },
  applies: (trace) => problemBrackets(trace.problem.prompt) !== null,
  verify(trace) {
    const input = problemBrackets(trace.problem.prompt)
    if (input === null) return trace.steps.map(() => UNKNOWN('the problem is no bracket sequence'))
    const replay = startReplay(input)
    return replaySteps(trace, (text) => judge(replay(text), 'no symbol, stack or answer in this step'))
  },
}

/** The last line, or rest of a line after a colon, that is brackets only, in a prompt that is about brackets. */
function problemBrackets(prompt: string): string[] | null {
  if (prompt.length > PROMPT_CHARS) return null
  const lines = prompt.split('\n').map((line) => line.slice(line.lastIndexOf(':') + 1).trim())
  const run = lines.findLast((line) => /^[()[\]{}<>\s]{2,}$/.test(line))?.match(BRACKETS)
  if (!run || run.length < MIN_BRACKETS) return null
  const isOnlyBrackets = /^[()[\]{}<>\s]+$/.test(prompt)
  return isOnlyBrackets || /\b(?:brackets?|parenthes[ei]s|dyck|stack|balanced)\b/i.test(prompt) ? run : null
}

function startReplay(input: readonly string[]): (text: string) => Claim[] {
  const stack: string[] = []
  let next = 0
  /** A step between the symbols could not be read: the position in the input is no longer known. */
  let lost = false
  const end = finalStack(input)

  const take = (symbol: string): Claim | null => {
    const expected = input[next]
    if (expected === undefined) {
      return no(`reads ${symbol}`, `the input has ended, but the step reads another ${symbol}`)
    }
    if (symbol !== expected)
      return no(`reads ${symbol}`, `symbol ${next + 1} of the input is ${expected}, not ${symbol}`)
    next++
    if (CLOSER[symbol]) stack.push(symbol)
    else if (CLOSER[stack.at(-1) ?? ''] === symbol) stack.pop()
    else return no(`reads ${symbol}`, `${symbol} closes nothing that is open`)
    return null
  }
  const stackIs = (stated: string, before: string): Claim =>
    stated === stack.join(' ')
      ? yes(`${before}the stack is ${show(stated)}`)
      : no(
          `${before}the stack is ${show(stated)}`,
          `${before}the stack is ${show(stack.join(' '))}, not ${show(stated)}`,
        )

  return (text) => {
    const claims: Claim[] = []
    const answer = statedAnswer(text)
    const body = answer === null ? text : text.slice(0, text.search(/\banswer(?:\s+is|\s*[:=])/i))
    const isEnd = /\b(?:final|last) stack\b|\breached the end\b|\bend of the (?:input|sequence)\b/i.test(body)
    const stated = statedStack(body)
    const pops = listAfter(body, /\bpop(?:ped|ping)?\b(?:\s+out)?/i)
    const needs = listAfter(body, /\b(?:need|close with|append|add)\b(?!\s+to\b)/i)
    if (isEnd) {
      if (!lost) {
        claims.push(
          next === input.length
            ? yes('the input has ended')
            : no(
                'the input has ended',
                `the input has not ended: symbol ${next + 1} of ${input.length} is ${input[next]}`,
              ),
        )
        if (stated !== null) claims.push(stackIs(stated.stack, ''))
      }
    } else if (stated !== null) {
      if (!lost) {
        for (const symbol of stated.symbols) {
          const wrong = take(symbol)
          if (wrong) return [...claims, wrong]
        }
        claims.push(stackIs(stated.stack, stated.symbols.length > 0 ? `after ${stated.symbols.join(' ')} ` : ''))
      }
    } else if (pops === null && needs === null && answer === null && BRACKET.test(body)) {
      lost = true
    }
    if (end === null) return claims
    const open = [...end].reverse()
    const closers = open.map((b) => CLOSER[b] ?? '')
    const compare = (what: string, found: readonly string[], want: readonly string[]): void => {
      const f = found.join(' ')
      const w = want.join(' ')
      claims.push(f === w ? yes(`${what} ${show(f)}`) : no(`${what} ${show(f)}`, `${what} ${show(w)}, not ${show(f)}`))
    }
    if (stated === null && pops !== null) compare('what is still open, from the top, is', pops, open)
    if (stated === null && needs !== null) compare('what closes it is', needs, closers)
    if (answer !== null) compare('the answer is', /^[^\p{L}\n]*/u.exec(answer)?.[0].match(BRACKETS) ?? [], closers)
    return claims
  }
}

/** Opening brackets left at the end; null where a closing bracket fits nothing. */
function finalStack(input: readonly string[]): string[] | null {
  const stack: string[] = []
  for (const symbol of input) {
    if (CLOSER[symbol]) stack.push(symbol)
    else if (CLOSER[stack.pop() ?? ''] !== symbol) return null
  }
  return stack
}

/** "< ; stack: { <" or "read <, so the stack is now { <": the symbols before the word, the stack after it. */
function statedStack(text: string): { symbols: string[]; stack: string } | null {
  const m = /\bstack\b[^()[\]{}<>]*?(?:\bempty\b|["'“`]?([()[\]{}<>][()[\]{}<>\s]*)|[:=]\s*$)/i.exec(text)
  if (!m) return null
  const before = text.slice(0, m.index)
  const symbols = before.match(BRACKETS) ?? []
  const bare = before.replace(BRACKETS, '').trim().length <= 1
  return { symbols: bare ? symbols : symbols.slice(0, 1), stack: (m[1]?.match(BRACKETS) ?? []).join(' ') }
}

/** Brackets listed after a word, up to the end of the sentence; null where the word is absent. */
function listAfter(text: string, word: RegExp): string[] | null {
  const m = word.exec(text)
  if (!m) return null
  return text.slice(m.index + m[0].length).match(BRACKETS) ?? []
}

const show = (brackets: string): string => (brackets === '' ? 'empty' : brackets)
const yes = (says: string): Claim => ({ says, holds: true })
const no = (says: string, instead: string): Claim => ({ says, holds: false, instead })
