import { random } from '../../../core/seeds.ts'
import { questionKey, questionOf } from '../../../core/split.ts'
import { mean } from '../../../core/stats/index.ts'
import type { Trace } from '../../../core/words.ts'
import { verdictFromRisks } from '../../../label/verdict.ts'
import { firstBelow } from '../../../models/rewards/calibrate.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import { compareLocators, firstDrop, type Locator, type ScoredTrace, tunedThreshold } from '../../../prove/locate.ts'
import { estimateText, type FigureData } from '../../../prove/report/figure-data.ts'
import { TASKS } from '../../../worlds/tasks/index.ts'
import { type RunContext, tracesOf, writeTraces } from './context.ts'
import { reportFile, TUNE_FILE } from './sample-stage.ts'
import { toolsAlone } from './train-stage.ts'

/** Traces of a problem that are looked at: more say little new of it. */
const PER_PROBLEM = 4
/** A tool's word is 0 or 1. */
const TOOL_SAYS_WRONG = 0.5
/** Lines scored in one call. */
const BATCH = 256

export interface Located {
  figure: FigureData
  /** The process model's F1 less that of the outcome twin. */
  overTwin: { value: number; low: number; high: number } | null
}

/**
 * First errors on unseen problems: the process model, its outcome twin read as a locator by the fall of its value, the
 * tools that both hear without any model, and the rows that say nothing, against the task's exact oracle. Thresholds are
 * chosen on the tuning problems. null where the problems have no oracle.
 */
export async function locateStage(
  context: RunContext,
  models: { process: RewardModel; outcome: RewardModel | null },
): Promise<Located | null> {
  const { folder, config } = context
  const tune = withGold(few(await tracesOf(folder.file(TUNE_FILE))))
  const report = withGold(few(await tracesOf(folder.file(reportFile(0)))))
  if (tune.length === 0 || report.length === 0) return null
  const start = mean(tune.map(({ trace }) => trace.outcome ?? 0))
  const readers: { name: string; model: RewardModel; locate: Locator }[] = [
    { name: 'process model', model: models.process, locate: firstBelow },
  ]
  if (models.outcome)
    readers.push({ name: 'outcome twin, fall of value', model: models.outcome, locate: firstDrop(start) })
  const said: Record<string, number[]> = {}
  const notes: string[] = []
  for (const { name, model, locate } of readers) {
    const threshold = tunedThreshold(await scored(model, tune), locate)
    const own = await scored(model, report)
    said[name] = own.map((t) => locate(t.scores, threshold))
    notes.push(`${name}: threshold ${threshold.toFixed(3)}`)
    if (model === models.process) await writeTraces(folder.file('located.jsonl'), verdicts(report, own, threshold))
  }
  const tools = toolsAlone(context)
  if (tools)
    said['tools alone'] = (await scored(tools, report)).map(({ scores }) => firstBelow(scores, TOOL_SAYS_WRONG))
  const draw = random(`${config.seed}/run/random-step`)
  said['always clean'] = report.map(() => -1)
  said['step 0'] = report.map(() => 0)
  said['last step'] = report.map(({ trace }) => trace.steps.length - 1)
  said['random'] = report.map(({ trace }) => draw.below(trace.steps.length + 1) - 1)
  const { rows, differences } = compareLocators(
    report.map(({ trace, gold }) => ({ question: keyOf(trace), gold })),
    said,
    `${config.seed}/locate`,
  )
  const figure: FigureData = {
    id: 'first-errors',
    title: 'The first wrong step on unseen problems',
    kind: 'table',
    columns: ['locator', 'F1', 'exact, with an error', 'exact, clean', 'process model less this, F1'],
    rows: rows.map((row, i) => [
      row.name,
      estimateText(row.f1),
      estimateText(row.erroneous),
      estimateText(row.clean),
      i === 0 ? '' : estimateText(differences[i - 1]!.f1),
    ]),
    note: `${report.length} traces of ${new Set(report.map(({ trace }) => keyOf(trace))).size} problems against the task's exact oracle; ${notes.join('; ')}, chosen on other problems.`,
  }
  return { figure, overTwin: models.outcome ? (differences[0]?.f1 ?? null) : null }
}

interface Known {
  trace: Trace
  gold: number
}

function withGold(traces: readonly Trace[]): Known[] {
  return traces.flatMap((trace): Known[] => {
    const task = TASKS.find(({ name }) => name === trace.problem.domain)
    if (!task || trace.steps.length === 0) return []
    const truth = task.oracle(
      trace.problem,
      trace.steps.map((s) => s.text),
    )
    return [{ trace, gold: truth.findIndex((t) => !t.correct) }]
  })
}

function few(traces: readonly Trace[]): Trace[] {
  const seen = new Map<string, number>()
  return traces.filter((trace) => {
    const n = seen.get(trace.problem.id) ?? 0
    seen.set(trace.problem.id, n + 1)
    return n < PER_PROBLEM
  })
}

async function scored(model: RewardModel, traces: readonly Known[]): Promise<ScoredTrace[]> {
  const out: ScoredTrace[] = []
  for (let from = 0; from < traces.length; from += BATCH) {
    const part = traces.slice(from, from + BATCH)
    const scores = await model.score(part.map(({ trace }) => ({ problem: trace.problem, steps: trace.steps })))
    part.forEach(({ trace, gold }, i) => {
      const one = scores[i]!
      // A trace that the model cannot read counts all the same: it has no scores, so that no step of it is called wrong.
      out.push({ question: keyOf(trace), gold, scores: one.ok ? one.scores : trace.steps.map(() => null) })
    })
  }
  return out
}

/** The report's traces with risks, verdicts and, as an imported label, what the oracle says. */
function* verdicts(traces: readonly Known[], scores: readonly ScoredTrace[], threshold: number): Generator<Trace> {
  for (const [i, { trace, gold }] of traces.entries()) {
    // The tuned threshold becomes a risk of one half, so that the verdict names the step that the figure counts.
    const risk = scores[i]!.scores.map((s) => (s === null ? null : riskAt(s, threshold)))
    yield {
      ...trace,
      labels: [{ meaning: 'first-error', value: gold, source: 'imported:oracle' }],
      verdict: verdictFromRisks(risk, 'reward:process'),
    }
  }
}

function riskAt(score: number, threshold: number): number {
  return score < threshold ? 1 - (0.5 * score) / threshold : (0.5 * (1 - score)) / (1 - threshold)
}

function keyOf(trace: Trace): string {
  return questionKey(questionOf(trace.problem))
}
