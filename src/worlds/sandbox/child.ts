import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** A process to start; built by `jail.ts`. */
export interface Launch {
  command: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string
  /** Become this user and group before the program starts. */
  user?: number
  stdin: string
  /** Texts that the program reads from descriptors 3, 4, ... */
  descriptors: readonly string[]
}

/** How a child ended, before anyone says what that means. */
export interface Ended {
  exitCode: number | null
  signal: NodeJS.Signals | null
  /** Why Gradus killed it, where it did. */
  cut: 'time' | 'output' | 'abort' | null
  stdout: string
  stderr: string
  seconds: number
  /** The program could not be started at all. */
  failure: Error | null
}

/** After the kill, streams held open by an escaped grandchild (level `local` only) are given up after this time. */
const DRAIN_MS = 300

/**
 * Runs a child in its own process group with a wall-clock limit and an output cap.
 *
 * @param seconds wall-clock limit; at its end the whole group is killed with SIGKILL
 * @param outputBytes cap on standard output and error together; what came before it is kept
 */
export function runChild(launch: Launch, seconds: number, outputBytes: number, abort?: AbortSignal): Promise<Ended> {
  const started = performance.now()
  return new Promise((resolve) => {
    let cut: Ended['cut'] = null
    let held = 0
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let settled = false
    let drain: NodeJS.Timeout | undefined

    const finish = (exitCode: number | null, signal: NodeJS.Signals | null, failure: Error | null): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      clearTimeout(drain)
      abort?.removeEventListener('abort', onAbort)
      resolve({
        exitCode,
        signal,
        cut,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        seconds: (performance.now() - started) / 1000,
        failure,
      })
    }

    let child: ChildProcess
    try {
      child = spawn(launch.command, launch.args, {
        cwd: launch.cwd,
        env: launch.env,
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', ...launch.descriptors.map(() => 'pipe' as const)],
        ...(launch.user !== undefined && { uid: launch.user, gid: launch.user }),
      })
    } catch (cause) {
      resolve({
        exitCode: null,
        signal: null,
        cut,
        stdout: '',
        stderr: '',
        seconds: 0,
        failure: cause instanceof Error ? cause : new Error(String(cause)),
      })
      return
    }

    const kill = (why: NonNullable<Ended['cut']>): void => {
      cut ??= why
      killGroup(child)
    }
    const onAbort = (): void => kill('abort')
    const timer = setTimeout(() => kill('time'), seconds * 1000)
    if (abort?.aborted) kill('abort')
    else abort?.addEventListener('abort', onAbort, { once: true })

    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      const room = outputBytes - held
      if (chunk.length > room) {
        if (room > 0) into.push(chunk.subarray(0, room))
        held = outputBytes
        kill('output')
        return
      }
      held += chunk.length
      into.push(chunk)
    }
    child.stdout?.on('data', collect(stdout))
    child.stderr?.on('data', collect(stderr))

    write(child.stdin, launch.stdin)
    launch.descriptors.forEach((text, i) => {
      write(child.stdio[3 + i] as Writable | null, text)
    })

    child.on('error', (failure) => finish(null, null, failure))
    child.on('exit', (code, signal) => {
      // Whatever of the group is still alive has no business to be.
      killGroup(child)
      drain = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy()
        finish(code, signal, null)
      }, DRAIN_MS)
    })
    child.on('close', (code, signal) => finish(code, signal, null))
  })
}

/** A program that ends before it has read everything is not an error of Gradus. */
function write(stream: Writable | null, text: string): void {
  stream?.on('error', () => {})
  stream?.end(text)
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: the group is already gone.
  }
}
