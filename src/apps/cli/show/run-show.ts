import { join } from 'node:path'
import type { Engine } from '../../../engine/engine.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import { packageRoot } from '../../package-root.ts'
import type { RunFolder, StageState } from '../../pipeline/run/folder.ts'
import type { Terminal } from '../verb.ts'
import { columns, count, near, paint, quoted } from './style.ts'

/** Between two looks at the run, milliseconds. */
const LOOK_MS = 400
/** Between two lines about a stage where nobody sees a line renew itself, milliseconds. */
const PLAIN_MS = 15_000

/** A run as it goes: a line that renews itself for a person, plain lines elsewhere. */
export class RunShow {
  #folder: RunFolder
  #engine: Engine
  #terminal: Terminal
  #quiet: boolean
  #timer: ReturnType<typeof setInterval>
  #told = new Set<string>()
  #last = performance.now()

  constructor(folder: RunFolder, engine: Engine, terminal: Terminal, quiet: boolean) {
    this.#folder = folder
    this.#engine = engine
    this.#terminal = terminal
    this.#quiet = quiet
    for (const stage of folder.state.stages) if (stage.finished) this.#told.add(stage.name)
    if (this.#told.size > 0 && !quiet) this.#line(`goes on where it stopped: ${this.#told.size} stages are done`)
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  say(line: string): void {
    if (!this.#quiet) this.#line(line)
  }

  /** Says what is still unsaid and stops looking. */
  end(): void {
    clearInterval(this.#timer)
    this.#finished()
    if (this.#terminal.interactive) this.#terminal.err('\r\u001b[K')
  }

  /** What came out, and three commands that go on from here. */
  summary(figures: readonly FigureData[]): string {
    const { terminal, folder } = { terminal: this.#terminal, folder: near(this.#folder.path) }
    const named = (id: string): FigureData | undefined => figures.find((figure) => figure.id === id)
    const { usage, stages } = this.#folder.state
    const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0)
    const traces = near(join(packageRoot(), 'examples', 'traces', 'agents.jsonl'))
    const next: [string, string][] = [
      [`npx gradus label ${quoted(traces)} -o labelled.jsonl`, 'label a file of traces: put yours in its place'],
      [`npx gradus view ${quoted(folder)}`, 'look at every step and figure of this run'],
      [
        'npx gradus run --policy http://127.0.0.1:8000/v1#model --dry-run',
        'your server: name it, then without --dry-run',
      ],
    ]
    const width = Math.max(...next.map(([command]) => command.length))
    return [
      '',
      ...table(terminal, named('first-errors'), 4),
      ...bonLines(terminal, named('best-of-n')),
      ...table(terminal, named('best-of-n-differences'), 3, ([way, less]) => isToldAtOnce(String(way), String(less))),
      ...byTokens(terminal, named('accuracy-by-tokens')),
      `  ${seconds.toFixed(0)} s   ${count(usage.calls)} calls   ${count(usage.completionTokens)} tokens written`,
      `  ${folder}/report.html   everything above, with traces and plots`,
      '',
      '  next',
      ...next.map(([command, does]) => `    ${paint(terminal, 'cyan', command.padEnd(width))}   ${does}`),
      '',
    ].join('\n')
  }

  #look(): void {
    this.#finished()
    const stage = this.#folder.state.stages.find((s) => !s.finished)
    if (!stage || this.#quiet) return
    const line = `  ${this.#describe(stage)}`
    if (this.#terminal.interactive) this.#terminal.err(`\r\u001b[K${line}`)
    else if (performance.now() - this.#last > PLAIN_MS) this.#line(line.trim())
  }

  #finished(): void {
    for (const stage of this.#folder.state.stages) {
      if (!stage.finished || this.#told.has(stage.name)) continue
      this.#told.add(stage.name)
      const items = stage.done > 1 ? count(stage.done) : ''
      if (!this.#quiet) this.#line(`${stage.name.padEnd(24)} ${items.padStart(7)}   ${stage.seconds.toFixed(1)} s`)
    }
  }

  #describe({ name, done, total, seconds }: StageState): string {
    const { spent } = this.#engine.budget
    const share = total === null ? '' : `${count(done)} of ${count(total)}`
    const rate = done > 0 && seconds > 1 ? `${(done / seconds).toFixed(0)}/s` : ''
    return [name, share, rate, `${count(spent.completionTokens)} tokens`].filter((part) => part !== '').join('   ')
  }

  #line(text: string): void {
    this.#last = performance.now()
    this.#terminal.err(`${this.#terminal.interactive ? '\r\u001b[K' : ''}  ${text}\n`)
  }
}

/** The first columns of a table. */
function table(
  terminal: Terminal,
  figure: FigureData | undefined,
  width: number,
  keep: (row: FigureData['rows'][number]) => boolean = () => true,
): string[] {
  if (!figure) return []
  const rows = figure.rows.filter(keep).map((row) => row.slice(0, width).map((cell) => String(cell ?? '')))
  return [
    `  ${paint(terminal, 'bold', figure.title)}`,
    ...columns([figure.columns.slice(0, width), ...rows]).map((line) => `    ${line}`),
    '',
  ]
}

/** Differences that a reader asks for first: of the process model, and of every way to majority. */
function isToldAtOnce(way: string, less: string): boolean {
  return less === 'majority' || (way.startsWith('best by process model') && less !== 'random')
}

/** Share right, and completion tokens a problem, for growing budgets; a row a way. */
function byTokens(terminal: Terminal, figure: FigureData | undefined): string[] {
  if (!figure) return []
  const ways = Map.groupBy(figure.rows, ([way]) => String(way))
  const rows = [...ways].map(([way, points]) => [
    way,
    ...points.map((point) => `${share(Number(point[3]))} for ${count(Math.round(Number(point[2])))}`),
  ])
  return [
    `  ${paint(terminal, 'bold', 'Share of problems answered right, for completion tokens a problem')}`,
    ...columns(rows).map((line) => `    ${line}`),
    '',
  ]
}

const share = (value: number): string => value.toFixed(3).replace(/^0/, '')

/** Share right by N, a row a way. */
function bonLines(terminal: Terminal, figure: FigureData | undefined): string[] {
  if (!figure) return []
  const sizes = [...new Set(figure.rows.map((row) => Number(row[1])))].sort((a, b) => a - b)
  const ways = [...new Set(figure.rows.map((row) => String(row[0])))]
  const cell = (way: string, n: number): string => {
    const found = figure.rows.find((row) => row[0] === way && row[1] === n)?.[2]
    return typeof found === 'number' ? share(found) : ''
  }
  return [
    `  ${paint(terminal, 'bold', 'Share of problems answered right, choosing one of N candidates')}`,
    ...columns([['N', ...sizes.map(String)], ...ways.map((way) => [way, ...sizes.map((n) => cell(way, n))])]).map(
      (line) => `    ${line}`,
    ),
    '',
  ]
}
