import { GradusError } from '../../../core/errors.ts'
import { half, questionKey, questionOf } from '../../../core/split.ts'
import type { Problem } from '../../../core/words.ts'
import { readProblems } from '../../../io/problems/read.ts'
import { readTaskSpec, taskProblems } from '../task-problems.ts'
import type { RunConfig, Size } from './config.ts'

export interface RunProblems {
  dataset: string
  licence: string
  /** Of the tune half of the questions: for training, and for choosing thresholds. */
  train: Problem[]
  tune: Problem[]
  /** Of the report half: figures come from these alone. */
  report: Problem[]
}

/** Draws of a task until enough different questions fall on each half. */
const MAX_DRAWS = 6

/**
 * Problems of a run, no question twice, each on its half of the one split.
 * @param task name and level, where the problems are of a built-in task
 * @throws GradusError GRD-IO-009 where a file has too few questions for a figure
 */
export async function runProblems(config: RunConfig, task: string | undefined, size: Size): Promise<RunProblems> {
  if (config.problems !== undefined) {
    const { problems, format } = await readProblems(config.problems)
    return {
      dataset: format.name === 'gradus' ? '' : format.name,
      licence: format.licence,
      ...dealt(problems, size, config.problems),
    }
  }
  const spec = readTaskSpec(task ?? '')
  const wanted = size.train + size.tune + size.report
  const all: Problem[] = []
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    all.push(...taskProblems(spec, `${config.seed}/run/${draw}`, 2 * wanted))
    const halves = splitByHalf(all)
    if (halves.tune.length >= size.train + size.tune && halves.report.length >= size.report) break
  }
  return { dataset: spec.task.name, licence: 'MIT', ...dealt(all, size, task ?? '') }
}

/** Where there are fewer questions than asked for, training keeps its share of what there is. */
function dealt(problems: readonly Problem[], size: Size, file: string): Pick<RunProblems, 'train' | 'tune' | 'report'> {
  const { tune: own, report } = splitByHalf(problems)
  if (own.length < 4 || report.length < 2) {
    throw new GradusError('GRD-IO-009', {
      where: { file },
      found: `${own.length} and ${report.length} questions on the two halves of the split`,
      expected: 'at least 4 and 2',
    })
  }
  const share = size.train / (size.train + size.tune)
  const train = Math.min(size.train, Math.max(2, Math.floor(own.length * share)))
  return {
    train: own.slice(0, train),
    tune: own.slice(train, train + size.tune),
    report: report.slice(0, size.report),
  }
}

function splitByHalf(problems: readonly Problem[]): Record<'tune' | 'report', Problem[]> {
  const seen = new Set<string>()
  const halves: Record<'tune' | 'report', Problem[]> = { tune: [], report: [] }
  for (const problem of problems) {
    const question = questionOf(problem)
    const key = questionKey(question)
    if (seen.has(key)) continue
    seen.add(key)
    halves[half(question)].push(problem)
  }
  return halves
}
