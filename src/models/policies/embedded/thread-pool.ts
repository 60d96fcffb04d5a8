import { getCompileCacheDir } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { GradusError } from '../../../core/errors.ts'
import { threadFile } from '../../../io/thread-file.ts'
import type { GenerateOptions, Sample } from './generate-options.ts'
import type { Scored } from './model.ts'
import type { ThreadAnswer, ThreadJob } from './thread.ts'

/** Threads at most: each holds its own copy of the weights and compiles for itself, about 150 MB and a second. */
const MAX_THREADS = 8

/**
 * Work that the threads have done, each, before another is started, ms: a new one spends about a second on compiling
 * what the others have compiled, so that a short run is soonest done by one.
 */
const WORTH_MS = 2_000

interface Waiting {
  job: ThreadJob
  resolve: (values: Sample[] | Scored[]) => void
  reject: (reason: unknown) => void
}

interface Thread {
  worker: Worker
  current: Waiting | null
  since: number
}

const threads = new Set<Thread>()
const queue: Waiting[] = []
/** Computing of all threads so far, ms. */
let worked = 0

/** Starts the first thread, where there is none yet, so that it is there when work comes. */
export function warmThread(): void {
  if (threads.size === 0) start()
}

/** Ends the threads and frees their memory; jobs that are not done fail with a RangeError. A later job starts anew. */
export async function endThreads(): Promise<void> {
  for (const { reject } of queue.splice(0)) reject(new RangeError('the threads of the embedded models were ended'))
  await Promise.all([...threads].map(({ worker }) => worker.terminate()))
}

/** Threads that are at work or ready for it. */
export function threadCount(): number {
  return threads.size
}

/**
 * Some rows of a model's sampling or scoring, computed in a thread, so that this one stays free for everything else.
 *
 * The threads are the process's own, started when there is work for them, and shared by all weights. They do not keep
 * the process alive.
 * @throws GradusError what the model throws; RangeError where the thread died
 */
export function inThread(job: ThreadJob & { generate: GenerateOptions }): Promise<Sample[]>
export function inThread(job: ThreadJob & { score: readonly string[] }): Promise<Scored[]>
export function inThread(job: ThreadJob): Promise<Sample[] | Scored[]> {
  return new Promise((resolve, reject) => {
    queue.push({ job, resolve, reject })
    handOut()
  })
}

function handOut(): void {
  while (queue.length > 0) {
    const thread = [...threads].find(({ current }) => current === null) ?? start()
    const next = thread && queue.shift()
    if (!thread || !next) return
    thread.current = next
    thread.since = performance.now()
    thread.worker.ref()
    thread.worker.postMessage(next.job)
  }
}

function start(): Thread | null {
  if (threads.size >= Math.min(MAX_THREADS, availableParallelism()) || worked < threads.size * WORTH_MS) return null
  // No keys there; compiled code is kept where this thread keeps it.
  const cache = getCompileCacheDir()
  const worker = new Worker(threadFile(import.meta.url, 'thread', 'models/policies/embedded'), {
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
  })
  const thread: Thread = { worker, current: null, since: 0 }
  threads.add(thread)
  worker.on('message', (answer: ThreadAnswer) => {
    const { current } = thread
    thread.current = null
    worked += performance.now() - thread.since
    worker.unref()
    if ('values' in answer) current?.resolve(answer.values)
    else current?.reject('crash' in answer ? new Error(answer.crash) : GradusError.fromJSON(answer.error))
    handOut()
  })
  worker.on('error', (cause) => end(cause))
  worker.on('exit', (code) => end(new RangeError(`the thread of an embedded model ended with ${code}`)))
  const end = (cause: unknown): void => {
    if (!threads.delete(thread)) return
    thread.current?.reject(cause)
    handOut()
  }
  // Listening keeps a process alive as well, so this stands last.
  worker.unref()
  return thread
}
