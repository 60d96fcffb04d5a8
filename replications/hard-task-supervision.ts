import { type Random, random } from '../src/core/seeds.ts'
import { differenceOf, type Estimate, estimateOf, mean, type Resampled, resampled } from '../src/core/stats/index.ts'
import { stepErrorRate } from '../src/label/step-error-rate.ts'
import type { Arm, Outcome, Replication, ReplicationContext, ReplicationResult } from '../src/prove/replication.ts'

/** Points of accuracy that each part of the claim must show, fixed before any run (papers/hard-task-supervision.md). */
const RULE = { hardOverSub: 0.05, swer: 0.15, subOverParaphrase: 0.03 } as const

const STEPS = 8
const SUBTASK = 3
const OPERATIONS = 4
const BASE = 10
/** Hard problems of a supervision set; all sets of a comparison have as many steps. */
const PROBLEMS = 240
const TEST = 200

/** One line: the operation, the number it is applied to, its own number, and what the solution says comes out. */
interface Line {
  cell: number
  says: number
}

interface Solution {
  problem: string
  lines: Line[]
  right: boolean
  /** Is each line wrong in itself? */
  wrong: boolean[]
}

type Position = 'uniform' | 'early' | 'late'

interface Teacher {
  /** Share of solutions that end wrong. */
  outcomeErrors: number
  /** Wrong lines of a solution that ends wrong. */
  wrongLines: number
  position?: Position
}

interface World {
  /** What comes out in each cell. */
  table: Int32Array
}

const cellOf = (operation: number, a: number, b: number): number => (operation * BASE + a) * BASE + b

/**
 * Operations on digits with tables drawn at random, so that a learner knows nothing that it was not shown. Each number
 * permutes the digits: a single error stays an error to the end.
 */
function makeWorld(rng: Random): World {
  const table = new Int32Array(OPERATIONS * BASE * BASE)
  const digits = Array.from({ length: BASE }, (_, digit) => digit)
  for (let operation = 0; operation < OPERATIONS; operation++) {
    for (const b of digits) {
      rng.shuffle(digits).forEach((result, a) => {
        table[cellOf(operation, a, b)] = result
      })
    }
  }
  return { table }
}

interface Hard {
  id: string
  start: number
  operations: { operation: number; operand: number }[]
}

const makeHard = (id: string, rng: Random): Hard => ({
  id,
  start: rng.below(BASE),
  operations: Array.from({ length: STEPS }, () => ({ operation: rng.below(OPERATIONS), operand: rng.below(BASE) })),
})

/** Goes through the problem, with other results at the given lines. */
function solve(world: World, { id, start, operations }: Hard, wrongAt: ReadonlySet<number>, rng: Random): Solution {
  let value = start
  let truth = start
  const lines = operations.map(({ operation, operand }, at): Line => {
    truth = world.table[cellOf(operation, truth, operand)] ?? 0
    const cell = cellOf(operation, value, operand)
    const right = world.table[cell] ?? 0
    value = wrongAt.has(at) ? (right + 1 + rng.below(BASE - 1)) % BASE : right
    return { cell, says: value }
  })
  return { problem: id, lines, right: value === truth, wrong: operations.map((_, at) => wrongAt.has(at)) }
}

/** A solution that ends wrong with exactly so many wrong lines. */
function wrongSolution(world: World, hard: Hard, { wrongLines, position = 'uniform' }: Teacher, rng: Random): Solution {
  const from = position === 'late' ? STEPS / 2 : 0
  const places = Array.from({ length: position === 'uniform' ? STEPS : STEPS / 2 }, (_, i) => from + i)
  for (;;) {
    const solution = solve(world, hard, new Set(rng.shuffle(places).slice(0, wrongLines)), rng)
    // errors may cancel, and then the solution ends right
    if (!solution.right) return solution
  }
}

/** Exactly the asked share of solutions ends wrong. */
function taught(world: World, problems: readonly Hard[], teacher: Teacher, rng: Random): Solution[] {
  const wrong = new Set(
    rng.shuffle(problems.map((_, i) => i)).slice(0, Math.round(teacher.outcomeErrors * problems.length)),
  )
  return problems.map((hard, i) =>
    wrong.has(i) ? wrongSolution(world, hard, teacher, rng) : solve(world, hard, new Set(), rng),
  )
}

/** The right solutions cut into subtasks; a share of them gets one wrong line. */
function subtasks(world: World, problems: readonly Hard[], errors: number, rng: Random): Solution[] {
  const parts = problems.flatMap((hard) => {
    const { lines } = solve(world, hard, new Set(), rng)
    const starts = Array.from({ length: Math.ceil(STEPS / SUBTASK) }, (_, i) => i * SUBTASK)
    return starts.map((from) => lines.slice(from, from + SUBTASK).map((line) => ({ ...line })))
  })
  const wrong = new Set(rng.shuffle(parts.map((_, i) => i)).slice(0, Math.round(errors * parts.length)))
  return parts.map((lines, i): Solution => {
    const last = lines.at(-1)
    if (wrong.has(i) && last) last.says = (last.says + 1 + rng.below(BASE - 1)) % BASE
    return {
      problem: `sub/${i}`,
      lines,
      right: !wrong.has(i),
      wrong: lines.map((_, at) => wrong.has(i) && at === lines.length - 1),
    }
  })
}

/** Accuracy on unseen hard problems of the likeliest line by line, the model being counts of what was shown. */
function learn(world: World, solutions: readonly Solution[], test: readonly Hard[], rng: Random): number {
  const counts = new Float64Array(world.table.length * BASE)
  for (const { lines } of solutions) {
    for (const { cell, says } of lines) counts[cell * BASE + says] = (counts[cell * BASE + says] ?? 0) + 1
  }
  // ties and cells never seen are settled once, by chance
  const guess = Int32Array.from(world.table, (_, cell) => {
    const seen = Array.from(counts.subarray(cell * BASE, cell * BASE + BASE))
    const most = Math.max(...seen)
    return rng.pick(seen.flatMap((n, value) => (n === most ? [value] : [])))
  })
  const end = (table: Int32Array, { start, operations }: Hard): number =>
    operations.reduce((value, { operation, operand }) => table[cellOf(operation, value, operand)] ?? 0, start)
  return mean(test.map((hard) => (end(guess, hard) === end(world.table, hard) ? 1 : 0)))
}

interface Recipe {
  name: string
  control: boolean
  make(world: World, problems: readonly Hard[], rng: Random): Solution[]
}

const hardOnly = (name: string, control: boolean, teacher: Teacher): Recipe => ({
  name,
  control,
  make: (world, problems, rng) => taught(world, problems, teacher, rng),
})

const NOISY: Teacher = { outcomeErrors: 0.5, wrongLines: 4 }
const HARD_LOW = hardOnly('hard, 90 % end wrong by 1 line of 8', false, { outcomeErrors: 0.9, wrongLines: 1 })
const HARD_HIGH = hardOnly('hard, 90 % end wrong by 4 lines of 8', true, { outcomeErrors: 0.9, wrongLines: 4 })
const CLEAN_SUB: Recipe = {
  name: 'subtasks, none wrong',
  control: true,
  make: (world, problems, rng) => subtasks(world, problems, 0, rng),
}
const first = (problems: readonly Hard[]): readonly Hard[] => problems.slice(0, problems.length / 2)
const WITH_SUB: Recipe = {
  name: 'hard, 50 % wrong + their subtasks, 10 % wrong',
  control: false,
  make: (world, problems, rng) => [
    ...taught(world, first(problems), NOISY, rng),
    ...subtasks(world, first(problems), 0.1, rng),
  ],
}
const WITH_PARAPHRASE: Recipe = {
  name: 'hard, 50 % wrong + the same paraphrased',
  control: true,
  // a paraphrase changes the words and keeps what is calculated, right or wrong
  make(world, problems, rng) {
    const once = taught(world, first(problems), NOISY, rng)
    return [...once, ...once]
  },
}

const RECIPES: readonly Recipe[] = [
  hardOnly('hard, none wrong', true, { outcomeErrors: 0, wrongLines: 1 }),
  CLEAN_SUB,
  HARD_LOW,
  HARD_HIGH,
  hardOnly('hard, 90 % wrong by 2 early lines', false, { outcomeErrors: 0.9, wrongLines: 2, position: 'early' }),
  hardOnly('hard, 90 % wrong by 2 late lines', false, { outcomeErrors: 0.9, wrongLines: 2, position: 'late' }),
  WITH_SUB,
  WITH_PARAPHRASE,
  hardOnly('hard, 50 % wrong, twice as many problems', true, NOISY),
]

/** Published claims about supervision by hard tasks and by their subtasks, on a learner that counts. */
export const hardTaskSupervision: Replication = {
  paper: 'hard-task-supervision',
  title: 'What makes good supervision for hard tasks',
  claim:
    'The share of wrong steps, not of wrong outcomes, decides how good supervision is: noisy hard solutions with few wrong ' +
    'steps beat clean subtasks, and subtasks help noisy hard solutions more than paraphrases do.',
  failsIf:
    'holds only if all three differences of accuracy have their 95 % interval above 0 and reach 5 points (hard 90 % wrong, 1 ' +
    'line of 8, over clean subtasks), 15 points (1 over 4 wrong lines at 90 %) and 3 points (hard + subtasks over hard + ' +
    'paraphrase); partly if one or two do; fails if none does',
  setting:
    'eight operations on digits by random tables that lose nothing; hard = 8 steps, subtask = 3 steps in a row; the learner is a table of ' +
    'counts, greedy line by line; 1,920 steps of supervision in every arm; 200 unseen hard problems; intervals by seed',

  async run(context: ReplicationContext): Promise<ReplicationResult> {
    const seeds = context.quick ? 40 : 200
    const accuracy = RECIPES.map((): number[] => [])
    const shown = RECIPES.map((): Solution[] => [])
    for (let s = 0; s < seeds; s++) {
      if (s % 20 === 0) context.progress(`seed ${s} of ${seeds}`)
      const rng = random(`${context.seed}/hard-task/${s}`)
      const world = makeWorld(rng)
      const problems = Array.from({ length: PROBLEMS }, (_, i) => makeHard(`${s}/${i}`, rng))
      const test = Array.from({ length: TEST }, (_, i) => makeHard(`test/${s}/${i}`, rng))
      RECIPES.forEach((recipe, r) => {
        const own = random(`${context.seed}/hard-task/${s}/${recipe.name}`)
        const solutions = recipe.make(world, problems, own)
        shown[r]?.push(...solutions)
        accuracy[r]?.push(learn(world, solutions, test, own))
      })
    }
    const groups = Int32Array.from({ length: seeds }, (_, s) => s)
    const all = resampled(
      groups,
      accuracy.map((own) => (picked: readonly number[]) => mean(picked.map((p) => own[p] ?? Number.NaN))),
    )
    const arms = RECIPES.map((recipe, r): Arm => armOf(recipe, all[r], shown[r] ?? [], seeds))
    return { settings: [{ name: 'digit operations', arms }], ...verdictOf(all) }
  },
}

function armOf({ name, control }: Recipe, accuracy: Resampled | undefined, shown: readonly Solution[], n: number): Arm {
  const swer = stepErrorRate(shown).rate
  const ended = mean(shown.map((solution) => (solution.right ? 0 : 1)))
  const figures = [
    { name: 'solutions that end wrong', estimate: { value: ended, low: ended, high: ended }, n: shown.length },
  ]
  if (swer) figures.push({ name: 'step-wise error rate', estimate: swer, n: shown.length })
  if (accuracy) figures.push({ name: 'accuracy on unseen hard problems', estimate: estimateOf(accuracy), n })
  return { name, control, figures }
}

function verdictOf(all: readonly Resampled[]): Pick<ReplicationResult, 'outcome' | 'because' | 'notes'> {
  const minus = (a: Recipe, b: Recipe): Estimate => {
    const [own, other] = [all[RECIPES.indexOf(a)], all[RECIPES.indexOf(b)]]
    if (own === undefined || other === undefined) throw new RangeError('an arm that was not run')
    return differenceOf(own, other)
  }
  const parts = [
    { says: 'noisy hard over clean subtasks', seen: minus(HARD_LOW, CLEAN_SUB), least: RULE.hardOverSub },
    { says: 'few over many wrong steps', seen: minus(HARD_LOW, HARD_HIGH), least: RULE.swer },
    { says: 'subtasks over paraphrases', seen: minus(WITH_SUB, WITH_PARAPHRASE), least: RULE.subOverParaphrase },
  ]
  const held = parts.map(({ seen, least }) => seen.value >= least && seen.low > 0)
  const count = held.filter((h) => h).length
  const outcome: Outcome = count === parts.length ? 'holds' : count > 0 ? 'partly' : 'fails'
  const says = parts.map((part, i) => {
    const { value, low, high } = part.seen
    const points = [value, low, high].map((x) => (100 * x).toFixed(1))
    return `${part.says} ${points[0]} points [${points[1]}, ${points[2]}]: ${held[i] ? 'yes' : 'no'}`
  })
  return {
    outcome,
    because: says.join('; '),
    notes: [
      'The learner is a table of counts, no transformer: lines learnt in subtasks serve in hard problems at once, so that what ' +
        'only long solutions can teach has no place here, and the first part of the claim is tested at its hardest.',
      'Lines after a wrong one go on rightly from its value, so early and late errors should teach alike.',
      'Wrong results are drawn evenly; a teacher who always errs in the same way would do more harm.',
    ],
  }
}
