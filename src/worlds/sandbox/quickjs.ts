import { Worker } from 'node:worker_threads'
import { threadFile } from '../../io/thread-file.ts'
import type { QuickjsAnswer, QuickjsTask } from './quickjs-worker.ts'

/** The interpreter's own deadline is exact; a call into it that does not look at the clock is ended this much later. */
const GRACE_MS = 500

/** A new worker must load its WebAssembly before the program's own time begins; 0.1 s, some seconds on a busy machine. */
const START_MS = 20_000

/** Heap of the host side of the worker, which only copies output. */
const HOST_HEAP_MB = 256

let worker: Worker | null = null
let queue: Promise<unknown> = Promise.resolve()

/**
 * Runs JavaScript in QuickJS, one program after the other, in one worker thread.
 *
 * The worker is thrown away after memory ran out or the program was interrupted (the WebAssembly module may be damaged then),
 * after a deadline that the interpreter missed, and after a crash.
 */
export function runQuickjs(task: QuickjsTask, abort?: AbortSignal): Promise<QuickjsAnswer | 'killed'> {
  const turn = queue.then(() => (abort?.aborted ? ('killed' as const) : runNow(task, abort)))
  queue = turn.catch(() => {})
  return turn
}

function runNow(task: QuickjsTask, abort?: AbortSignal): Promise<QuickjsAnswer | 'killed'> {
  worker ??= new Worker(threadFile(import.meta.url, 'quickjs-worker', 'worlds/sandbox'), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HOST_HEAP_MB },
  })
  const current = worker
  current.ref()
  return new Promise((resolve) => {
    const finish = (answer: QuickjsAnswer | 'killed', discard: boolean): void => {
      clearTimeout(timer)
      abort?.removeEventListener('abort', onAbort)
      current.off('message', onMessage).off('error', onError).off('exit', onExit)
      if (discard) {
        worker = null
        // What a dying worker still has to say interests nobody, but an unheard error would end the process.
        current.on('error', () => {})
        void current.terminate()
      } else {
        current.unref()
      }
      resolve(answer)
    }
    const onMessage = (answer: QuickjsAnswer | 'started'): void => {
      if (answer === 'started') {
        clearTimeout(timer)
        timer = setTimeout(late, task.seconds * 1000 + GRACE_MS)
      } else {
        finish(answer, answer.spoiled)
      }
    }
    const onError = (error: Error): void => {
      const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      finish({ status: memory ? 'memory' : 'error', stdout: '', stderr: `${error.message}\n`, spoiled: true }, true)
    }
    const onExit = (): void => finish('killed', true)
    const onAbort = (): void => finish('killed', true)
    const late = (): void => finish({ status: 'timeout', stdout: '', stderr: '', spoiled: true }, true)
    let timer = setTimeout(late, START_MS)
    abort?.addEventListener('abort', onAbort, { once: true })
    current.on('message', onMessage).on('error', onError).on('exit', onExit)
    current.postMessage(task)
  })
}
