import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Random, random } from '../src/core/seeds.ts'
import { bootstrap } from '../src/core/stats/index.ts'
import type { Arm, Replication, ReplicationResult } from '../src/prove/replication.ts'
import { type Edit, pythonEdits } from '../src/worlds/mutation/edits.ts'
import { runMutants } from '../src/worlds/mutation/run-mutants.ts'
import { probeLevels } from '../src/worlds/sandbox/index.ts'

/** Tests that label; the whole domain of the functions is the truth. */
const TESTS = [1, 3, 10, 30] as const
/** Inputs a and b from -4 to 4: 81 pairs, every one of which is run. */
const RANGE = 4
const SIZE = { quick: { generated: 8, real: 20 }, full: { generated: 60, real: 200 } } as const

/** One candidate line: which program, what the rule meant, what some and all tests say. */
interface Candidate {
  group: number
  kind: Edit['kind']
  /** Passes the first n tests, for each n of the arms. */
  passes: ReadonlyMap<number, boolean>
  /** Passes all tests. */
  right: boolean
}

/** Line labels from mutation and execution, as the number of tests grows. */
export const prlcoder: Replication = {
  paper: 'prlcoder',
  title: 'Line labels by mutation and tests',
  claim:
    'running the tests labels a changed line better than what the change was meant to be, and better the more tests there are',
  failsIf:
    'on generated functions the labels by 10 tests do not agree with exact semantics more often than the intention of the edit by their intervals, or agreement does not rise from 1 to 30 tests; "partly" when it fails on MBPP only, where the other asserts stand in for exact semantics',
  setting:
    'rule-made mutations and refactorings of every statement of generated Python functions of two whole numbers (exact semantics: all 81 inputs) and of MBPP reference solutions (all asserts), each candidate run in the sandbox',
  async run({ quick, seed, progress }): Promise<ReplicationResult> {
    const isolated = (await probeLevels()).some((l) => l.available && l.isolating && l.languages.includes('python'))
    if (!isolated) {
      const because = 'no isolating sandbox level runs Python on this machine'
      return { settings: [], outcome: 'not testable offline', because, notes: [] }
    }
    const size = SIZE[quick ? 'quick' : 'full']
    progress(`${size.generated} generated functions`)
    const generated = await generatedCandidates(size.generated, seed)
    const settings = [{ name: 'generated functions', arms: armsOf(generated, TESTS, seed) }]
    const holds = fares(settings[0]?.arms ?? [], '10 tests') && rises(settings[0]?.arms ?? [])
    const notes = [said('generated functions', generated)]
    const tasks = mbppTasks(size.real)
    let holdsReal = true
    if (tasks.length === 0) notes.push('MBPP is not here (GRADUS_DATA): generated functions only')
    else {
      progress(`${tasks.length} MBPP solutions`)
      const { candidates, rejected } = await mbppCandidates(tasks)
      const arms = armsOf(candidates, [1, 2], seed)
      settings.push({ name: 'MBPP reference solutions', arms })
      holdsReal = fares(arms, '2 tests')
      notes.push(said('MBPP', candidates))
      notes.push(`MBPP: ${rejected} of ${tasks.length} solutions rejected (they do not parse or fail their own tests)`)
    }
    notes.push('reward model and reinforcement learning of the paper are not run here: this is the label study alone')
    return {
      settings,
      outcome: holds ? (holdsReal ? 'holds' : 'partly') : 'fails',
      because: holds
        ? `execution agrees with exact semantics above the intention control and rises with the tests${holdsReal ? '' : ', but not on MBPP'}`
        : 'execution by 10 tests is not above the intention control, or does not rise with the tests',
      notes,
    }
  },
}

const INTENTION = 'intention of the edit'

function armsOf(candidates: readonly Candidate[], tests: readonly number[], seed: string): Arm[] {
  const label: [string, boolean, (c: Candidate) => boolean][] = [
    [INTENTION, true, (c) => c.kind === 'refactoring'],
    ['every line right', true, () => true],
    ['every line wrong', true, () => false],
    ...tests.map((n): [string, boolean, (c: Candidate) => boolean] => [
      n === 1 ? '1 test' : `${n} tests`,
      false,
      (c) => c.passes.get(n) ?? false,
    ]),
  ]
  const groups = candidates.map((c) => c.group)
  const figure = (name: string, hit: (c: Candidate) => boolean, among: (c: Candidate) => boolean = () => true) => {
    const statistic = (picked: readonly number[]): number => {
      const items = picked.flatMap((p) => candidates[p] ?? []).filter(among)
      return items.length === 0 ? Number.NaN : items.filter(hit).length / items.length
    }
    return {
      name,
      estimate: bootstrap(groups, statistic, { seed: `${seed}/${name}` }),
      n: candidates.filter(among).length,
    }
  }
  return label.map(([name, control, says]) => ({
    name,
    control,
    figures: [
      figure('agreement with all tests', (c) => says(c) === c.right),
      figure('share of "right" labels that are right', (c) => c.right, says),
    ],
  }))
}

function agreement(arms: readonly Arm[], name: string): { value: number; low: number; high: number } {
  const none = { value: Number.NaN, low: Number.NaN, high: Number.NaN }
  return arms.find((a) => a.name === name)?.figures[0]?.estimate ?? none
}

function fares(arms: readonly Arm[], name: string): boolean {
  return agreement(arms, name).low > agreement(arms, INTENTION).high
}

function rises(arms: readonly Arm[]): boolean {
  return agreement(arms, '30 tests').value > agreement(arms, '1 test').value
}

function said(where: string, candidates: readonly Candidate[]): string {
  const share = (kind: Edit['kind']): string => {
    const of = candidates.filter((c) => c.kind === kind)
    return `${of.filter((c) => c.right).length} of ${of.length}`
  }
  return `${where}: mutations that change nothing ${share('mutation')}; refactorings that pass all tests ${share('refactoring')}`
}

async function generatedCandidates(count: number, seed: string): Promise<Candidate[]> {
  const out: Candidate[] = []
  for (let group = 0; group < count; group++) {
    const draw = random(`${seed}/prlcoder/${group}`)
    const program = drawFunction(draw)
    const inputs: [number, number][] = []
    for (let a = -RANGE; a <= RANGE; a++) for (let b = -RANGE; b <= RANGE; b++) inputs.push([a, b])
    const tests = draw.shuffle(inputs).map(([a, b]) => `assert f(${a}, ${b}) == original(${a}, ${b})`)
    // The function itself is the oracle, under a name that no edit touches.
    const setup = program.replace('def f(', 'def original(')
    out.push(...((await candidatesOf(program, setup, tests, [...TESTS], group)) ?? []))
  }
  return out
}

/** The candidates of one program; null where it does not parse or fails its own tests. */
async function candidatesOf(
  program: string,
  setup: string,
  tests: readonly string[],
  counts: readonly number[],
  group: number,
): Promise<Candidate[] | null> {
  const edits = (await pythonEdits(program))?.edits
  if (!edits) return null
  const programs = edits.map((e) => e.program)
  const runs = new Map<number, boolean[]>()
  for (const n of [...counts, tests.length]) {
    const { base, mutants } = await runMutants(program, programs, [setup, ...tests.slice(0, n)].join('\n'))
    if (base.some((b) => b.outcome !== 'passed')) return null
    runs.set(
      n,
      mutants.map((m) => m.outcome === 'passed'),
    )
  }
  return edits.map(({ kind }, i) => ({
    group,
    kind,
    passes: new Map(counts.map((n) => [n, runs.get(n)?.[i] ?? false])),
    right: runs.get(tests.length)?.[i] ?? false,
  }))
}

/** Assignments, a branch and a loop on whole numbers; ends on every input. */
function drawFunction(draw: Random): string {
  const names = ['a', 'b', 'x', 'y']
  const value = (): string => (draw.below(3) === 0 ? String(1 + draw.below(4)) : draw.pick(names))
  const sum = (): string => `${value()} ${draw.pick(['+', '-', '*'])} ${value()}`
  const compare = (): string => `${draw.pick(names)} ${draw.pick(['<', '<=', '>', '>=', '=='])} ${value()}`
  const lines = [
    'def f(a, b):',
    `    x = a ${draw.pick(['+', '-', '*'])} ${1 + draw.below(4)}`,
    `    y = ${sum().replaceAll('y', 'b')}`,
  ]
  for (let i = 0; i < 2 + draw.below(3); i++) {
    const kind = draw.below(4)
    if (kind === 0) lines.push(`    ${draw.pick(['x', 'y'])} = ${sum()}`)
    if (kind === 1) lines.push(`    if ${compare()}:`, `        x = ${sum()}`, '    else:', `        y = ${sum()}`)
    if (kind === 2) lines.push(`    if ${compare()} and ${compare()}:`, `        y += ${1 + draw.below(4)}`)
    if (kind === 3)
      lines.push(`    for i in range(${2 + draw.below(2)}):`, `        x = x ${draw.pick(['+', '-'])} ${value()}`)
  }
  return `${[...lines, `    return ${draw.pick(['x + y', 'x - y', 'x', 'max(x, y)'])}`].join('\n')}\n`
}

interface Task {
  gold: string
  tests: string[]
  test_setup_code: string
}

async function mbppCandidates(tasks: readonly Task[]): Promise<{ candidates: Candidate[]; rejected: number }> {
  const candidates: Candidate[] = []
  let group = 0
  for (const task of tasks) {
    const found = await candidatesOf(
      task.gold.replaceAll('\r\n', '\n'),
      task.test_setup_code,
      task.tests,
      [1, 2],
      group,
    )
    if (found === null || found.length === 0) continue
    candidates.push(...found)
    group++
  }
  return { candidates, rejected: tasks.length - group }
}

function mbppTasks(count: number): Task[] {
  const file = join(process.env.GRADUS_DATA ?? '', 'mbpp', 'ic_mbpp.json.gz')
  if (!process.env.GRADUS_DATA || !existsSync(file)) return []
  const rows: Task[] = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
  return rows.filter((r) => r.tests.length >= 3).slice(0, count)
}
