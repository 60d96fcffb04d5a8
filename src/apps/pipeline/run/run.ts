import type { GradusError } from '../../../core/errors.ts'
import type { Trace } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import { runReport } from '../../../prove/report/run-report.ts'
import { beamStage } from './beam-stage.ts'
import { asChosen, bonStage } from './bon-stage.ts'
import { chooseLevel } from './choose-level.ts'
import { type RunConfig, sizeOf } from './config.ts'
import { type RunContext, RunPolicies, tracesOf } from './context.ts'
import type { RunFolder } from './folder.ts'
import { labelStage } from './label-stage.ts'
import { locateStage } from './locate-stage.ts'
import { type RunProblems, runProblems } from './problems.ts'
import { reportFile, sampleStages } from './sample-stage.ts'
import type { StageJobs } from './stage-jobs.ts'
import { openModels, trainStages } from './train-stage.ts'

export interface RunOptions {
  config: RunConfig
  folder: RunFolder
  engine: Engine
  /** Who writes and labels traces; this process where absent. */
  jobs?: StageJobs
  signal: AbortSignal
  /** One line for whoever watches. */
  say?(line: string): void
}

/** Where nobody names a task: what `choose` finds for `embedded:chains` (docs/running.md). */
const DEFAULT_TASK = 'self-repairing-chain:1'
/** Traces shown whole in the report. */
const EXAMPLES = 20

/**
 * The main job, from problems to proof: sample, label, train a process model and its outcome twin, find first errors on
 * unseen problems, choose among candidates, steer a step beam, and write the report.
 *
 * Every stage that is finished is passed over, so that running it again goes on where it stopped.
 * @returns the figures
 * @throws GradusError GRD-RUN-* when the run ends early; what is done stays in the folder
 */
export async function runAll({ config, say = () => {}, ...rest }: RunOptions): Promise<FigureData[]> {
  const context: RunContext = { config, size: sizeOf(config), say, ...rest }
  const { folder, engine, jobs } = context
  const policies = new RunPolicies(context)
  const figures = new FigureShelf(folder)
  try {
    const problems = await problemsOf(context, policies, figures)
    await sampleStages(context, policies, problems)
    await labelStage(context, policies)
    await trainStages(context)
    const models = await openModels(context, 0)
    await folder.stage('find first errors', async () => {
      const found = await locateStage(context, models)
      if (found) figures.put(found.figure)
    })
    await folder.stage('best of N', async () => {
      for (const figure of await bonStage(context)) figures.put(figure)
    })
    await folder.stage('search', async () => {
      // It draws on the candidates of the first draw.
      await jobs?.lend(reportFile(0))
      figures.put(await beamStage(context, policies, problems.report, asChosen(models.process, context)))
    })
    models.process.dispose?.()
    models.outcome?.dispose?.()
    await folder.stage('report', async () => {
      await folder.write('figures.json', `${JSON.stringify(figures.all(), null, 2)}\n`)
      await folder.write('report.html', await reportOf(context, problems, figures.all()))
    })
    folder.state.state = 'done'
    return figures.all()
  } catch (error) {
    folder.state.state = 'stopped'
    throw error
  } finally {
    folder.state.usage = engine.budget.spent
    await folder.save(true)
  }
}

/** Figures of finished stages are kept with the run's state, so that a resumed run has them all. */
class FigureShelf {
  #folder: RunFolder
  #all: FigureData[]

  constructor(folder: RunFolder) {
    this.#folder = folder
    this.#all = (folder.state.facts['figures'] as FigureData[] | undefined) ?? []
  }

  put(figure: FigureData): void {
    this.#all = [...this.#all.filter(({ id }) => id !== figure.id), figure]
    this.#folder.state.facts['figures'] = this.#all
  }

  all(): FigureData[] {
    return this.#all
  }
}

async function problemsOf(context: RunContext, policies: RunPolicies, figures: FigureShelf): Promise<RunProblems> {
  const { config, folder, size } = context
  if (config.task === 'choose') {
    await folder.stage('choose the difficulty', async () => {
      const { task, figure } = await chooseLevel(context, policies)
      folder.state.facts['task'] = task
      figures.put(figure)
    })
  }
  const chosen = folder.state.facts['task']
  return runProblems(config, typeof chosen === 'string' ? chosen : (config.task ?? DEFAULT_TASK), size)
}

async function reportOf(context: RunContext, problems: RunProblems, figures: FigureData[]): Promise<string> {
  const { folder, config, size } = context
  const { state } = folder
  const located = await tracesOf(folder.file('located.jsonl')).catch((error: GradusError) => {
    if (error.code === 'GRD-IO-001') return []
    throw error
  })
  const wrongFirst = (t: Trace): number => Number((t.verdict?.firstError ?? -1) < 0)
  return runReport({
    title: `From problems to proof: ${problems.dataset || config.problems || 'problems'}`,
    done: [
      `${config.policy} wrote ${size.trainSamples} traces of each of ${problems.train.length} problems. ${[...config.annotators, ...(config.judge === undefined ? [] : ['a judge'])].join(' and ')} looked at every step, the rule ${config.rule} made labels of it, and a process reward model and its outcome twin were trained on them.`,
      `Thresholds were chosen on ${problems.tune.length} other problems; every figure is from ${problems.report.length} problems that nothing was chosen on, ${size.reportSamples} candidates each${size.seeds > 1 ? `, ${size.seeds} independent draws` : ''}.`,
    ],
    stages: state.stages.map(({ name, done, seconds }) => ({ name, done, seconds })),
    figures,
    usage: context.engine.budget.spent,
    examples: located.toSorted((a, b) => wrongFirst(a) - wrongFirst(b)).slice(0, EXAMPLES),
    config: JSON.stringify(config, null, 2),
  })
}
