import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { z } from 'zod'
import { type ErrorCode, explain, GradusError } from '../../../core/errors.ts'
import { packageRoot } from '../../package-root.ts'
import { commandOf, parseOptions } from '../flags.ts'
import type { ExitCode, Terminal, Verb } from '../verb.ts'

const BIN = join(packageRoot(), 'bin', 'gradus.mjs')

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** A command line of Gradus in a process of its own, in a folder of the test. */
export function startGradus(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ran>; output(): string } {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...process.env, NO_COLOR: '1', ...env } })
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const ended = once(child, 'close').then(([code]: unknown[]) => ({
    code: typeof code === 'number' ? code : null,
    out,
    err,
  }))
  return { child, ended, output: () => out }
}

export function runGradus(cwd: string, args: readonly string[], env?: Record<string, string>): Promise<Ran> {
  return startGradus(cwd, args, env).ended
}

/** Waits for a text on standard output. */
export async function says(process: ReturnType<typeof startGradus>, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = pattern.exec(process.output())
    if (found) return found
    const ended = await Promise.race([process.ended, new Promise<null>((go) => setTimeout(go, 20, null))])
    if (ended) throw new Error(`ended with ${ended.code}: ${ended.err}${ended.out}`)
  }
}

/** A verb in this process: its exit code, or the error that it ends with. */
export async function callVerb<O extends z.ZodObject>(
  v: Verb<O>,
  argv: readonly string[],
): Promise<{ code: ExitCode | ErrorCode; out: string; err: string }> {
  let out = ''
  let err = ''
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    interactive: false,
    columns: 100,
  }
  // As the table of verbs holds it.
  const held = v as unknown as Verb
  const command = commandOf(held)
  try {
    command.parse([...argv], { from: 'user' })
    return { code: await held.run(command.args, parseOptions(held, command.opts()), terminal), out, err }
  } catch (error) {
    if (!(error instanceof GradusError)) throw error
    return { code: error.code, out, err: explain(error) }
  }
}
