import type { Random } from '../../core/seeds.ts'
import type { Task } from './task.ts'
import { type Walk, walkTask } from './walk.ts'

/** Who holds what, in the order of the prompt. */
type Holding = ReadonlyMap<string, string>

interface Swaps {
  start: Holding
  swaps: [string, string][]
  asked: string
  result: string
}

interface Stated {
  holding: Holding
  done: number
  answer: string | null
}

const PEOPLE = ['Al', 'Bo', 'Cy', 'Di', 'Ed', 'Fay', 'Gus']
const OBJECTS = ['bag', 'cup', 'hat', 'key', 'map', 'pen', 'toy', 'fan', 'jar', 'mug']

const LEVELS = [
  { says: '3 people, 2 swaps', people: 3, swaps: 2, maxLength: 120 },
  { says: '3 people, 4 swaps', people: 3, swaps: 4, maxLength: 208 },
  { says: '5 people, 5 swaps', people: 5, swaps: 5, maxLength: 360 },
  { says: '7 people, 7 swaps', people: 7, swaps: 7, maxLength: 640 },
  { says: '7 people, 16 swaps', people: 7, swaps: 16, maxLength: 1_360 },
] as const

const PROMPT = /^([A-Za-z ,]+)\. ([A-Za-z ,-]+)\. ([A-Za-z]+)\?$/
const LINE = /^([A-Za-z]+)-([A-Za-z]+): ([A-Za-z ,]+)$/
const ANSWER = /^=([a-z]+)$/

const holdingText = (holding: Holding): string => [...holding].map(([who, what]) => `${who} ${what}`).join(', ')

function parseHolding(text: string): Holding | null {
  const pairs = text.split(', ').map((pair) => pair.split(' '))
  if (!pairs.every((pair) => pair.length === 2 && pair[0] !== '' && pair[1] !== '')) return null
  const holding = new Map(pairs.map(([who = '', what = '']) => [who, what]))
  return holding.size === pairs.length ? holding : null
}

function swap(holding: Holding, a: string, b: string): Holding {
  const after = new Map(holding)
  after.set(a, holding.get(b) ?? '')
  after.set(b, holding.get(a) ?? '')
  return after
}

const swapAll = (holding: Holding, swaps: readonly [string, string][]): Holding =>
  swaps.reduce((now, [a, b]) => swap(now, a, b), holding)

function parseSwaps(prompt: string): Swaps | null {
  const m = PROMPT.exec(prompt)
  const start = parseHolding(m?.[1] ?? '')
  const asked = m?.[3] ?? ''
  if (!start?.has(asked)) return null
  const swaps: [string, string][] = []
  for (const text of (m?.[2] ?? '').split(', ')) {
    const [, a = '', b = ''] = /^([A-Za-z]+)-([A-Za-z]+) swap$/.exec(text) ?? []
    if (!start.has(a) || !start.has(b) || a === b) return null
    swaps.push([a, b])
  }
  return { start, swaps, asked, result: swapAll(start, swaps).get(asked) ?? '' }
}

function makeSwaps(level: { people: number; swaps: number }, random: Random): string {
  const people = PEOPLE.slice(0, level.people)
  const objects = random.shuffle(OBJECTS)
  const start = holdingText(new Map(people.map((who, i) => [who, objects[i] ?? ''])))
  const swaps = Array.from({ length: level.swaps }, () => random.shuffle(people).slice(0, 2).join('-'))
  return `${start}. ${swaps.map((pair) => `${pair} swap`).join(', ')}. ${random.pick(people)}?`
}

const write = ([a, b]: readonly [string, string], holding: Holding): string => `${a}-${b}: ${holdingText(holding)}`

const next = (p: Swaps, { holding, done, answer }: Stated): string | null => {
  if (answer !== null) return null
  const pair = p.swaps[done]
  return pair ? write(pair, swap(holding, ...pair)) : `=${holding.get(p.asked)}`
}

const walk: Walk<Swaps, Stated> = {
  name: 'object-tracking',
  summary: 'who holds what after people swap their things',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['no-swap', 'wrong-pair', 'lost-object', 'copy'],
  make: (level, random) => ({ prompt: makeSwaps(LEVELS[level] ?? LEVELS[0], random) }),
  parse: (problem) => parseSwaps(problem.prompt),
  start: (p) => ({ holding: p.start, done: 0, answer: null }),
  next,

  read(p, s, step) {
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) return { correct: step === next(p, s), state: { ...s, answer } }
    const stated = parseHolding(LINE.exec(step)?.[3] ?? '')
    if (!stated || stated.size !== p.start.size || ![...p.start.keys()].every((who) => stated.has(who))) {
      return { correct: false, state: s }
    }
    // in the prompt's order, so that the same holding is always the same text
    const holding = new Map([...p.start.keys()].map((who) => [who, stated.get(who) ?? '']))
    const state = { ...s, holding, done: Math.min(s.done + 1, p.swaps.length) }
    return { correct: s.done < p.swaps.length && step === next(p, s), state }
  },

  wrong(p, { holding, done, answer }, kind) {
    if (answer !== null) return []
    const pair = p.swaps[done]
    if (!pair) {
      const right = holding.get(p.asked)
      const others = new Set([...p.start.values()].filter((what) => what !== right))
      return kind === 'copy' ? [...others].map((what) => `=${what}`) : []
    }
    const right = swap(holding, ...pair)
    const people = [...holding.keys()]
    const steps: string[] = []
    if (kind === 'no-swap') steps.push(write(pair, holding))
    if (kind === 'wrong-pair') {
      for (const a of people)
        for (const b of people)
          if (a < b && !(pair.includes(a) && pair.includes(b))) steps.push(write(pair, swap(holding, a, b)))
    }
    if (kind === 'lost-object') {
      for (const [i, who] of pair.entries()) {
        steps.push(write(pair, new Map(right).set(who, right.get(pair[1 - i] ?? '') ?? '')))
      }
    }
    // after an earlier lost object a swap may change nothing
    return steps.filter((step) => step !== write(pair, right))
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => answer === p.result,
  onTrack: (p, s) => swapAll(s.holding, p.swaps.slice(s.done)).get(p.asked) === p.result,
}

/**
 * People swap what they hold: `Al cup, Bo hat, Cy key. Al-Bo swap, Bo-Cy swap. Cy?`.
 *
 * One line a swap with what everybody holds after it, `Al-Bo: Al hat, Bo cup, Cy key`; answer `=cup`. The kind of
 * problem is that of the tracking tasks of BIG-bench; the wording is our own. An error between people who do not
 * matter for the question is wrong and harmless. Errors: `no-swap` (nothing changed), `wrong-pair` (two others
 * swapped), `lost-object` (both hold the same), `copy` (the answer is another object).
 */
export const objectTracking: Task = walkTask(walk)
