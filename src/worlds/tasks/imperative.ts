import type { Random } from '../../core/seeds.ts'
import { after, type Effect, effectOf, type Machine, type Program, parseProgram, START, trace } from './interpreter.ts'
import type { Task } from './task.ts'
import { nearby, type Walk, walkTask } from './walk.ts'

interface Code {
  program: Program
  result: string
}

interface Stated {
  machine: Machine
  answer: string | null
}

const LEVELS = [
  { says: 'straight line', maxLength: 96 },
  { says: 'a branch', maxLength: 144 },
  { says: 'a loop of 2 or 3 rounds', maxLength: 208 },
  { says: 'a loop of 3 or 4 rounds with a branch', maxLength: 304 },
  { says: 'two cells, variables kept or forgotten', maxLength: 288 },
] as const

const NOTHING = 'nothing'
const OUT_OF_FUEL = 'out of fuel'

const LINE = /^(\d{1,2}): (.+)$/
const PRINTS = /^prints (-?\d{1,20})$/
const VARIABLES = /^(?:empty|[a-z]=-?\d{1,20}(?: [a-z]=-?\d{1,20})*)$/
const ANSWER = /^=(-?\d{1,20}(?:,-?\d{1,20})*|nothing|out of fuel)$/

function variablesText(variables: ReadonlyMap<string, number>): string {
  const names = [...variables.keys()].sort()
  return names.length === 0 ? 'empty' : names.map((name) => `${name}=${variables.get(name)}`).join(' ')
}

function effectText(effect: Effect): string {
  switch (effect.kind) {
    case 'print':
      return `prints ${effect.value}`
    case 'test':
      return effect.holds ? 'yes' : 'no'
    case 'variables':
      return variablesText(effect.variables)
  }
}

function readEffect(text: string): Effect | null {
  if (text === 'yes' || text === 'no') return { kind: 'test', holds: text === 'yes' }
  const value = PRINTS.exec(text)?.[1]
  if (value !== undefined) return { kind: 'print', value: Number(value) }
  if (!VARIABLES.test(text)) return null
  const pairs = [...text.matchAll(/([a-z])=(-?\d+)/g)].map((m): [string, number] => [m[1] ?? '', Number(m[2])])
  return { kind: 'variables', variables: new Map(pairs) }
}

function answerText(program: Program, machine: Machine): string {
  if (machine.at < program.lines.length) return OUT_OF_FUEL
  return machine.output.length === 0 ? NOTHING : machine.output.join(',')
}

function parseCode(prompt: string): Code | null {
  const program = parseProgram(prompt)
  if (!program) return null
  return { program, result: answerText(program, trace(program).machines.at(-1) ?? START) }
}

const write = (at: number, effect: Effect): string => `${at + 1}: ${effectText(effect)}`

const next = ({ program }: Code, { machine, answer }: Stated): string | null => {
  if (answer !== null) return null
  const effect = effectOf(program, machine)
  return effect ? write(machine.at, effect) : `=${answerText(program, machine)}`
}

const walk: Walk<Code, Stated> = {
  name: 'imperative',
  summary: 'a small language with loops, branches and cells, traced line by line',
  defaults: { slip: 0.05, recovery: 0 },
  levels: LEVELS.map((level) => level.says),
  maxLength: LEVELS.map((level) => level.maxLength),
  errorKinds: ['result', 'stale', 'branch', 'jump', 'cell', 'copy'],
  make: (level, random) => ({ prompt: makeCode(level, random) }),
  parse: (problem) => parseCode(problem.prompt),
  start: () => ({ machine: START, answer: null }),
  next,

  read(p, s, step) {
    const answer = ANSWER.exec(step)?.[1]
    if (answer !== undefined) return { correct: step === next(p, s), state: { ...s, answer } }
    const m = LINE.exec(step)
    const effect = readEffect(m?.[2] ?? '')
    const machine = effect && after(p.program, { ...s.machine, at: Number(m?.[1]) - 1 }, effect)
    if (!machine) return { correct: false, state: s }
    return { correct: step === next(p, s), state: { ...s, machine } }
  },

  wrong(p, s, kind) {
    if (s.answer !== null) return []
    const { program } = p
    const { machine } = s
    const { at, variables } = machine
    const effect = effectOf(program, machine)
    if (!effect) {
      const last = kind === 'copy' && at >= program.lines.length ? machine.output.at(-1) : undefined
      if (last === undefined) return []
      return nearby(last).map((n) => `=${machine.output.with(-1, n).join(',')}`)
    }
    const line = program.lines[at]
    const right = write(at, effect)
    const steps: string[] = []
    if (kind === 'result' && line?.kind === 'assign' && effect.kind === 'variables') {
      for (const n of nearby(effect.variables.get(line.target) ?? 0)) {
        steps.push(write(at, { kind: 'variables', variables: new Map(effect.variables).set(line.target, n) }))
      }
    }
    if (kind === 'stale' && line?.kind === 'assign') steps.push(write(at, { kind: 'variables', variables }))
    if (kind === 'branch' && effect.kind === 'test') steps.push(write(at, { kind: 'test', holds: !effect.holds }))
    if (kind === 'copy' && effect.kind === 'print') {
      for (const value of nearby(effect.value)) steps.push(write(at, { kind: 'print', value }))
    }
    if (kind === 'cell' && line?.kind === 'cell') {
      steps.push(write(at, { kind: 'variables', variables: program.persistent ? new Map() : variables }))
    }
    if (kind === 'jump') {
      for (const other of [at - 1, at + 1, at + 2]) {
        const done = effectOf(program, { ...machine, at: other })
        if (done) steps.push(write(other, done))
      }
    }
    // a stale line is right where the assignment changes nothing
    return steps.filter((step) => step !== right)
  },

  answer: (s) => s.answer,
  answerIn: (step) => ANSWER.exec(step)?.[1] ?? null,
  check: (p, answer) => answer === p.result,
}

/** Most lines that a generated program executes. */
const LONGEST_RUN = 40

function makeCode(level: number, random: Random): string {
  for (;;) {
    const prompt = drawCode(level, random)
    const program = parseProgram(prompt)
    const run = program && trace(program)
    const largest = run?.machines.flatMap((m) => [...m.variables.values()]).every((v) => Math.abs(v) < 100)
    if (run?.ended && largest && run.machines.length <= LONGEST_RUN) return prompt
  }
}

function drawCode(level: number, random: Random): string {
  const digit = () => 1 + random.below(9)
  const update = (target: string, by: string): string => {
    const operator = random.pick(['+', '+', '-'])
    return random.pick([`${target}=${target}${operator}${by}`, `${target}=${by}${operator}${digit()}`])
  }
  const test = (variable: string) => `${variable}${random.pick(['<', '>'])}${2 + random.below(8)}`
  const branch = () => [`if ${test('y')}`, ` ${update('y', 'x')}`, 'else', ` ${update('y', 'x')}`]
  const loop = (rounds: number, body: string[]) => {
    const down = 1 + random.below(2)
    const end = random.below(3)
    const indented = [...body, `x=x-${down}`].map((text) => ` ${text}`)
    return [`x=${end + rounds * down}`, `y=${digit()}`, `while x>${end}`, ...indented]
  }
  const start = [`x=${digit()}`, `y=${digit()}`]
  const draw = (): string[] => {
    if (level === 0) return [...start, update('y', 'x'), `y=y%${2 + random.below(8)}`, 'print y']
    if (level === 1) return [...start, ...branch(), update('x', 'y'), 'print x']
    if (level === 2) return [...loop(2 + random.below(2), [update('y', 'x')]), 'print y']
    if (level === 3) return [...loop(3 + random.below(2), branch()), 'print y']
    return [...loop(2, [update('y', 'x')]), 'print y', 'cell', update('x', 'y'), update('y', 'x'), 'print y']
  }
  const lines = draw().map((text, i) => `${i + 1} ${text}`)
  return [...(level === 4 ? [`state ${random.pick(['kept', 'reset'])}`] : []), ...lines].join('\n')
}

/**
 * Programs of a small imperative language (`interpreter.ts`) and their traces.
 *
 * The prompt is the program with numbered lines, `1 x=5`, `2 while x>2`, `3  y=y+x`; one step an executed line with
 * all variables after it, `3: x=5 y=5`, a test as `2: yes`, `5: prints 12`; the answer is all that was printed,
 * `=12` or `=12,7`, `=nothing` or, after 64 executed lines, `=out of fuel`. At a `cell` line variables live on or are
 * forgotten as the first line of the prompt says. Errors: `result` (wrong value), `stale` (assignment not carried
 * out), `branch` (test misjudged), `jump` (another line is executed), `cell` (state kept instead of reset or the
 * other way round), `copy` (another value is printed or answered).
 */
export const imperative: Task = walkTask(walk)
