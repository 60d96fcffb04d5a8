import { type Ended, runChild } from './child.ts'
import { interpreter, which } from './interpreters.ts'
import { bubblewrap, type Jail, type Job, local, namespaces } from './jail.ts'
import type { Language, LevelName, Limits } from './levels.ts'
import { runQuickjs } from './quickjs.ts'

/** How a program ended. */
export type Status = 'ok' | 'error' | 'timeout' | 'memory' | 'output' | 'killed'

export interface Result {
  /** `error` = it ended by itself with another code than 0; `killed` = by a signal that Gradus did not send, or aborted. */
  status: Status
  stdout: string
  stderr: string
  /** null where a signal ended it. */
  exitCode: number | null
  /** Wall clock, with the start of the jail. */
  seconds: number
  /** The level that really applied. */
  level: LevelName
}

export interface Program {
  language: Language
  code: string
  stdin: string
  files: Readonly<Record<string, string>>
  limits: Limits
}

/** The level cannot start anything here; becomes a reason or an error, whoever asks. */
export class NotHere extends Error {}

/** Runs a program at exactly this level, without asking whether it should. @throws NotHere, GradusError GRD-BOX-002 */
export async function execute(level: LevelName, program: Program, path: string, abort?: AbortSignal): Promise<Result> {
  if (level === 'quickjs') return inQuickjs(program, abort)
  const found = await interpreter(program.language)
  if (found === null) throw new NotHere('python3 is not installed')
  const jail = await build(level, { ...program, interpreter: found }, path)
  try {
    const { seconds, outputBytes } = program.limits
    const ended = await runChild(jail.launch, seconds, outputBytes, abort)
    if (ended.failure) throw new NotHere(ended.failure.message)
    return { ...read(ended, program.limits), level }
  } finally {
    await jail.dispose()
  }
}

function build(level: Exclude<LevelName, 'quickjs'>, job: Job, path: string): Jail | Promise<Jail> {
  if (process.platform !== 'linux') throw new NotHere('only Linux has this level')
  if (which('prlimit', '/usr/bin') === null) throw new NotHere('/usr/bin/prlimit is not installed (util-linux)')
  if (level === 'local') return local(job)
  if (level === 'bubblewrap') {
    const bwrap = which('bwrap', path)
    if (bwrap === null) throw new NotHere('bwrap is not installed')
    return bubblewrap(job, { bwrap })
  }
  const unshare = which('unshare', path)
  if (unshare === null) throw new NotHere('unshare is not installed')
  return namespaces(job, { unshare })
}

async function inQuickjs(program: Program, abort?: AbortSignal): Promise<Result> {
  const { seconds, memoryBytes, outputBytes } = program.limits
  const started = performance.now()
  const answer = await runQuickjs({ code: program.code, seconds, memoryBytes, outputBytes }, abort)
  const taken = (performance.now() - started) / 1000
  if (answer === 'killed') {
    return { status: 'killed', stdout: '', stderr: '', exitCode: null, seconds: taken, level: 'quickjs' }
  }
  const { status, stdout, stderr } = answer
  const exitCode = status === 'ok' ? 0 : status === 'error' ? 1 : null
  return { status, stdout, stderr, exitCode, seconds: taken, level: 'quickjs' }
}

/** Numbers of Linux on x86 and ARM; a shell or bwrap reports a child's signal as 128 + number. */
const SIGNAL = { abort: 6, trap: 5, kill: 9, segv: 11, cpu: 24 }

/** Last words of interpreters whose allocation was refused. */
const OUT_OF_MEMORY =
  /^MemoryError\b|JavaScript heap out of memory|ERR_MEMORY_ALLOCATION_FAILED|Array buffer allocation failed|can't start new thread|Cannot allocate memory|Fatal process out of memory|std::bad_alloc/m

function read(ended: Ended, limits: Limits): Omit<Result, 'level'> {
  const { exitCode, signal, cut, stdout, stderr, seconds } = ended
  const common = { stdout, stderr, seconds }
  if (cut === 'output') return { ...common, status: 'output', exitCode: null }
  if (cut === 'time') return { ...common, status: 'timeout', exitCode: null }
  if (cut === 'abort') return { ...common, status: 'killed', exitCode: null }
  if (exitCode === 0) return { ...common, status: 'ok', exitCode }
  const number = signal === null ? (exitCode ?? 0) - 128 : (SIGNAL_NUMBERS[signal] ?? 0)
  const bySignal = number > 0 && number < 65
  if (number === SIGNAL.cpu || (number === SIGNAL.kill && seconds >= limits.seconds)) {
    return { ...common, status: 'timeout', exitCode: null }
  }
  if (OUT_OF_MEMORY.test(stderr.slice(-STDERR_TAIL))) return { ...common, status: 'memory', exitCode }
  return bySignal ? { ...common, status: 'killed', exitCode: null } : { ...common, status: 'error', exitCode }
}

/** A program may print these words itself; only what it died with counts. */
const STDERR_TAIL = 4_000

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGABRT: SIGNAL.abort,
  SIGTRAP: SIGNAL.trap,
  SIGKILL: SIGNAL.kill,
  SIGSEGV: SIGNAL.segv,
  SIGXCPU: SIGNAL.cpu,
}
