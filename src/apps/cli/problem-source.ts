import { GradusError } from '../../core/errors.ts'
import type { Problem, Trace } from '../../core/words.ts'
import { holdsProblems, readProblems } from '../../io/problems/read.ts'
import { taskOf } from '../../worlds/tasks/task-of.ts'
import { readTaskSpec, taskProblems } from '../pipeline/task-problems.ts'

/** What a verb says of its problems. */
export interface ProblemFlags {
  task?: string | undefined
  problems?: number | undefined
  format?: string | undefined
  seed?: number | undefined
}

export interface ProblemSource {
  /** Data set or task with its level. */
  name: string
  dataset: string
  licence: string
  problems: Problem[]
  rejected: GradusError[]
  /** Are these problems of built-in tasks, whose text form policies know? */
  builtIn: boolean
}

/** Problems of a task where nobody says how many. */
const TASK_PROBLEMS = 100

/**
 * Problems of one file or of a built-in task; those of a task are the same for every verb and policy.
 * @param by the verb, for messages
 * @throws GradusError GRD-CLI-001 unless there is one source, GRD-IO-* for a file without problems
 */
export async function problemsOf(files: readonly string[], flags: ProblemFlags, by: string): Promise<ProblemSource> {
  const [file, ...more] = files
  if ((file === undefined) === (flags.task === undefined) || more.length > 0) {
    throw new GradusError('GRD-CLI-001', {
      found: file === undefined ? 'no problems' : more.length > 0 ? 'several files' : 'a file and a task',
      expected: 'one file with problems, or --task',
      try: [`${by} --help`],
    })
  }
  if (flags.task !== undefined) {
    const wanted = readTaskSpec(flags.task)
    const { name } = wanted.task
    const seed = `sample/${flags.seed ?? 0}`
    const problems = taskProblems(wanted, seed, flags.problems ?? TASK_PROBLEMS)
    return { name: `${name}:${wanted.level}`, dataset: name, licence: 'MIT', problems, rejected: [], builtIn: true }
  }
  const { format, problems, rejected } = await readProblems(file ?? '-', {
    ...(flags.format !== undefined && { format: flags.format }),
    ...(flags.problems !== undefined && { most: flags.problems }),
  })
  if (problems.length === 0) throw rejected[0] ?? new GradusError('GRD-IO-009', { where: { file: file ?? '-' } })
  const builtIn = problems.every((problem) => taskOf(problem) !== undefined)
  const dataset = format.name === 'gradus' ? '' : format.name
  return { name: file ?? '-', dataset, licence: format.licence, problems, rejected, builtIn }
}

/**
 * What `gradus label` explores: the problems of a task where there is no file, or of a file that holds problems; null
 * where it holds traces, and where evidence is read again.
 * @throws GradusError as `problemsOf`
 */
export async function problemsToExplore(
  files: readonly string[],
  flags: ProblemFlags & { relabel?: string | undefined },
): Promise<ProblemSource | null> {
  const [file] = files
  if (file === undefined) return await problemsOf([], flags, 'gradus label')
  if (flags.relabel !== undefined || !(await holdsProblems(file, flags.format))) return null
  // Beside a file the task is that of its problems.
  return await problemsOf(files, { ...flags, task: undefined }, 'gradus label')
}

/** A problem as a trace that has not begun. */
export function stubOf(problem: Problem): Trace {
  return { id: problem.id, problem, steps: [], source: { generator: '', dataset: '', licence: 'unknown' } }
}
