import { format } from 'node:util'
import { parentPort } from 'node:worker_threads'
import { getQuickJS, type QuickJSContext, type QuickJSHandle, type QuickJSRuntime } from 'quickjs-emscripten'
import { anyText } from '../../core/unknown.ts'

/** What `quickjs.ts` asks of the worker. */
export interface QuickjsTask {
  code: string
  seconds: number
  memoryBytes: number
  outputBytes: number
}

export interface QuickjsAnswer {
  status: 'ok' | 'error' | 'timeout' | 'memory' | 'output'
  stdout: string
  stderr: string
  /** The WebAssembly module can no longer be trusted: throw the worker away. */
  spoiled: boolean
}

/** Stack of the interpreter, bytes; below it a recursion without end is an error of the program. */
const STACK_BYTES = 256 * 1024

/** Frames of a stack that are shown. */
const STACK_FRAMES = 10

/** Runs one program in a fresh runtime; the module itself lives as long as the worker. */
async function evaluate(task: QuickjsTask): Promise<QuickjsAnswer> {
  const quickjs = await getQuickJS()
  parentPort?.postMessage('started')
  const deadline = performance.now() + task.seconds * 1000
  const runtime = quickjs.newRuntime()
  runtime.setMemoryLimit(task.memoryBytes)
  runtime.setMaxStackSize(STACK_BYTES)
  const out = { stdout: '', stderr: '', room: task.outputBytes, cut: false, late: false }
  runtime.setInterruptHandler(() => {
    if (performance.now() > deadline) out.late = true
    return out.late || out.cut
  })
  const context = runtime.newContext()
  provideConsole(context, out)

  let failure: string | null = null
  const result = context.evalCode(task.code, 'main.js')
  if (result.error) {
    failure = describe(context.dump(result.error))
    result.error.dispose()
  } else {
    const jobs = runtime.executePendingJobs()
    if (jobs.error) {
      failure = describe(context.dump(jobs.error))
      jobs.error.dispose()
    }
    failure ??= rejection(context, result.value)
    result.value.dispose()
  }
  const memory = failure !== null && /out of memory/.test(failure)
  const { stdout } = out
  const stderr = out.stderr + (failure === null || out.cut || out.late ? '' : `${failure}\n`)
  const status = out.cut ? 'output' : out.late ? 'timeout' : memory ? 'memory' : failure === null ? 'ok' : 'error'
  // After an interruption or "out of memory" the module is not touched again, not even to free it.
  const spoiled = out.cut || out.late || memory || !freed(context, runtime)
  return { status, stdout, stderr, spoiled }
}

/** False where the interpreter fell over its own remains. */
function freed(context: QuickJSContext, runtime: QuickJSRuntime): boolean {
  try {
    context.dispose()
    runtime.dispose()
    return true
  } catch {
    return false
  }
}

/** A program whose last value is a rejected promise has failed; other rejections that nobody handles go unseen. */
function rejection(context: QuickJSContext, value: QuickJSHandle): string | null {
  const state = context.getPromiseState(value)
  if (state.type !== 'rejected') return null
  const text = describe(context.dump(state.error))
  state.error.dispose()
  return text
}

interface Out {
  stdout: string
  stderr: string
  room: number
  cut: boolean
}

/** `console` and `print`, written as Node writes plain values. */
function provideConsole(context: QuickJSContext, out: Out): void {
  const writer = (stream: 'stdout' | 'stderr') =>
    context.newFunction(stream, (...args) => {
      const line = `${format(...args.map((arg) => context.dump(arg)))}\n`
      const bytes = Buffer.byteLength(line)
      if (bytes > out.room) {
        out[stream] += Buffer.from(line).subarray(0, out.room).toString('utf8')
        out.room = 0
        out.cut = true
        return
      }
      out.room -= bytes
      out[stream] += line
    })
  const stdout = writer('stdout')
  const stderr = writer('stderr')
  const console = context.newObject()
  for (const name of ['log', 'info', 'debug']) context.setProp(console, name, stdout)
  for (const name of ['error', 'warn']) context.setProp(console, name, stderr)
  context.setProp(context.global, 'console', console)
  context.setProp(context.global, 'print', stdout)
  for (const handle of [stdout, stderr, console]) handle.dispose()
}

/** The innermost frames, then `TypeError: x is not a function`: as in Python the last line says what is wrong. */
function describe(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    const { name, message, stack } = error as { name?: unknown; message?: unknown; stack?: unknown }
    const head = `${typeof name === 'string' ? name : 'Error'}: ${anyText(message)}`
    const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => line.trim() !== '') : []
    return [...frames.slice(0, STACK_FRAMES), head].join('\n')
  }
  return `Uncaught ${format(error)}`
}

parentPort?.on('message', async (task: QuickjsTask) => {
  parentPort?.postMessage(await evaluate(task))
})
