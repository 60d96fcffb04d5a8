import { access, constants, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Trace } from '../../../core/words.ts'
import { readTraces } from '../../../io/read.ts'
import { openText, traceWriter } from '../../../io/write.ts'
import { OFFLINE_ANNOTATORS } from '../../../label/annotators/index.ts'
import { packageRoot } from '../../package-root.ts'
import { type AgainstGold, againstGold } from '../../pipeline/against-gold.ts'
import { labelTrace, labelTraces } from '../../pipeline/label.ts'
import { checkedConfig } from '../../pipeline/run/config.ts'
import { LabelSummary } from '../show/label-summary.ts'
import { columns, near, oneLine, paint, quoted, wrapped } from '../show/style.ts'
import { showTrace } from '../show/trace.ts'
import { EXIT, type Terminal, verb } from '../verb.ts'
import { runFolderOf, runIn } from './run.ts'

const Options = z.object({
  run: z.boolean().default(true).describe('only label the traces that come with Gradus'),
  json: z.boolean().default(false).describe('the counts as one JSON object'),
})

const AREAS = ['mathematics', 'code', 'agents'] as const
/** Shown first: the steps are easy to follow, and the answer is right although a step is not. */
const SHOWN = 'book-exchange'
const FOLDER = 'gradus-out'
/** Only what the sandbox isolates is run. */
const CONTEXT = { allowCode: true, allowLocalExec: false, seed: 'gradus', spend: () => {} } as const

export const start = verb({
  name: 'start',
  summary: 'a first look: labels the traces that come with Gradus, then a quick run from problems to proof',
  arguments: '',
  options: Options,
  examples: ['gradus start'],
  async run(_, options, terminal) {
    const began = performance.now()
    const shipped = join(packageRoot(), 'examples', 'traces')
    const areas: { name: string; file: string; traces: Trace[] }[] = []
    for (const name of AREAS) {
      const file = join(shipped, `${name}.jsonl`)
      areas.push({ name, file, traces: (await readTraces(file)).traces })
    }
    const first = areas.flatMap((a) => a.traces).find((t) => t.id === SHOWN)
    if (first && !options.json) terminal.out(await opening(first, terminal))

    const summary = new LabelSummary(OFFLINE_ANNOTATORS.map((a) => a.name))
    const labelled: { name: string; traces: Trace[]; counts: AgainstGold }[] = []
    for (const { name, traces } of areas) {
      const done = await labelTraces(traces, OFFLINE_ANNOTATORS, CONTEXT)
      for (const trace of done) summary.add(trace)
      labelled.push({ name, traces: done, counts: againstGold(done) })
    }

    const folder = await writableFolder()
    const output = join(folder, 'labelled.jsonl')
    const report = join(folder, 'report.html')
    const writer = await traceWriter(output)
    for (const { traces } of labelled) await writer.write(traces)
    await writer.close()
    await writeReport(report, summary, labelled)

    const seconds = (performance.now() - began) / 1000
    const files = { labelled: near(output), report: near(report) }
    terminal.out(
      options.json
        ? `${JSON.stringify({ areas: labelled.map(({ name, counts }) => ({ name, ...counts })), seconds, ...files })}\n`
        : closing(labelled, seconds, files, terminal) +
            (options.run ? '' : nextCommands(files, near(shipped), terminal)),
    )
    if (options.json || !options.run) return EXIT.done
    terminal.out(FROM_HERE)
    const config = checkedConfig({})
    return await runIn(runFolderOf(folder, config), config, terminal, false)
  },
})

/** One trace with the problem and every step up to the wrong one. */
async function opening(trace: Trace, terminal: Terminal): Promise<string> {
  const shown = showTrace(await labelTrace(trace, OFFLINE_ANNOTATORS, CONTEXT), terminal, trace.steps.length)
  const width = Math.max(40, Math.min(terminal.columns, 100))
  return [
    `  ${paint(terminal, 'bold', 'Gradus finds the step where reasoning goes wrong, and shows why.')}`,
    '',
    ...wrapped(trace.problem.prompt, width - 4, 6).map((line) => `  ${line}`),
    '',
    `${shown}  The answer, ${oneLine(trace.answer ?? '', 20)}, happens to be right; the reasoning is not.\n\n`,
  ].join('\n')
}

function closing(
  labelled: readonly { name: string; counts: AgainstGold }[],
  seconds: number,
  files: { labelled: string; report: string },
  terminal: Terminal,
): string {
  const rows = tableOf(labelled)
  return [
    `  ${rows.total} traces labelled in ${seconds.toFixed(1)} s, without a model call. People know where each goes wrong:`,
    '',
    ...columns(rows.text).map((line, i) => `  ${i === 0 ? paint(terminal, 'dim', line) : line}`),
    '',
    '  Tools decide here: recomputing, replaying, running code, checking calls. What they cannot see, such as',
    '  a misread question, is where "called clean" and "cannot say" come from.',
    '',
    `  ${files.labelled}   every trace with labels and evidence`,
    `  ${files.report.padEnd(files.labelled.length)}   the same to read, in a browser`,
    '',
    '',
  ].join('\n')
}

function nextCommands(files: { labelled: string }, shipped: string, terminal: Terminal): string {
  const next: [string, string][] = [
    [`npx gradus label ${quoted(join(shipped, 'agents.jsonl'))} -o ${quoted('labelled.jsonl')}`, 'a file of traces'],
    [`npx gradus eval ${quoted(files.labelled)}`, 'figures with intervals'],
    [`npx gradus inspect ${quoted(join(shipped, 'code.jsonl'))}`, 'what is in a file'],
  ]
  const width = Math.max(...next.map(([command]) => command.length))
  return [
    '  next',
    ...next.map(([command, does]) => `    ${paint(terminal, 'cyan', command.padEnd(width))}   ${does}`),
    '',
  ].join('\n')
}

const FROM_HERE = `  Now the main job, at quick size: a small transformer in this process solves problems, its steps are labelled by
  rollouts, a reward model that hears a tool too learns from them, and all is measured on problems that it has not seen.

`

function tableOf(labelled: readonly { name: string; counts: AgainstGold }[]): { total: number; text: string[][] } {
  const head = [
    '',
    'with an error',
    'found',
    'other step',
    'called clean',
    'cannot say',
    'clean',
    'false alarms',
    'cannot say',
  ]
  const numbers = labelled.map(({ counts: { erroneous: e, clean: c } }) => [
    e.found + e.elsewhere + e.calledClean + e.cannotSay,
    e.found,
    e.elsewhere,
    e.calledClean,
    e.cannotSay,
    c.cleared + c.falseAlarm + c.cannotSay,
    c.falseAlarm,
    c.cannotSay,
  ])
  const sums = (numbers[0] ?? []).map((_, i) => numbers.reduce((sum, row) => sum + (row[i] ?? 0), 0))
  return {
    total: labelled.reduce((sum, { counts }) => sum + counts.traces, 0),
    text: [
      head,
      ...numbers.map((row, i) => [labelled[i]?.name ?? '', ...row.map(String)]),
      ['all', ...sums.map(String)],
    ],
  }
}

async function writeReport(
  path: string,
  summary: LabelSummary,
  labelled: readonly { name: string; counts: AgainstGold }[],
): Promise<void> {
  const { labelReport } = await import('../../../prove/report/label-report.ts')
  const { table } = await import('../../../prove/report/html.ts')
  const [head = [], ...rows] = tableOf(labelled).text
  const out = await openText(path)
  await out.write(
    await labelReport({
      title: 'A first look: the traces that come with Gradus',
      files: AREAS.map((a) => `${a}.jsonl`),
      ...summary.forReport(),
      evaluation: table(head, rows),
    }),
  )
  await out.close()
}

/** The folder of results in the current one; in the system's temporary one where that cannot be written. */
async function writableFolder(): Promise<string> {
  try {
    await mkdir(FOLDER, { recursive: true })
    await access(FOLDER, constants.W_OK)
    return FOLDER
  } catch {
    return await mkdtemp(join(tmpdir(), `${FOLDER}-`))
  }
}
