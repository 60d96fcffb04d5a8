import type { CommanderError } from 'commander'
import { explain, GradusError } from '../../core/errors.ts'
import { cannotWrite, discardUnfinished } from '../../io/target.ts'
import { version } from '../package-root.ts'
import { harmless } from './show/style.ts'
import { EXIT, type ExitCode, type Terminal, type Verb } from './verb.ts'
import { VERBS } from './verbs/index.ts'

/** Runs one command line; never throws. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name = '--help', ...rest] = argv
  try {
    if (name === '--help' || name === '-h' || name === 'help') {
      terminal.out(help())
      return EXIT.done
    }
    if (name === '--version' || name === '-V') {
      terminal.out(`${await version()}\n`)
      return EXIT.done
    }
    const entry = VERBS[name]
    if (!entry) {
      throw new GradusError('GRD-CLI-001', {
        found: name,
        expected: `one of ${Object.keys(VERBS).join(', ')}`,
        try: ['gradus --help'],
      })
    }
    return await runVerb(await entry.load(), rest, terminal)
  } catch (error) {
    return report(error, rest.includes('--json'), terminal)
  }
}

async function runVerb(v: Verb, argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { commandOf, parseOptions } = await import('./flags.ts')
  const command = commandOf(v).configureOutput({ writeOut: terminal.out, writeErr: () => {} })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (isCommanders(error) && error.exitCode !== 0) throw misused(error, v)
    throw error
  }
  return await v.run(command.args, parseOptions(v, command.opts()), terminal)
}

/** Told by its code, so that the library is loaded only where options are parsed. */
function isCommanders(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}

/** Commander's complaint as ours: what was met, and the help of the verb. */
function misused(error: CommanderError, v: Verb): GradusError {
  const [found = '', ...hints] = error.message.replace(/^error: /, '').split('\n')
  return new GradusError('GRD-CLI-001', {
    found,
    try: [...hints.map((h) => h.replace(/^\((.*)\)$/, '$1')), `gradus ${v.name} --help`],
  })
}

/** What another command line or another file would mend; a full disk is no such thing. */
const USAGE = /^GRD-(CLI|IO-(?!014)|LABEL-00[134]|EVAL|DATA-001|MODEL-004|SEARCH)/

function report(error: unknown, json: boolean, terminal: Terminal): ExitCode {
  if (isCommanders(error)) return EXIT.done
  if (error instanceof GradusError) {
    terminal.err(`${json ? JSON.stringify({ error }) : explain(error)}\n`)
    return USAGE.test(error.code) ? EXIT.usage : EXIT.failed
  }
  terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return EXIT.failed
}

function help(): string {
  const rows = Object.entries(VERBS).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`)
  return [
    'gradus: find the step where reasoning or an agent run goes wrong, prove it, and use it',
    '',
    'Usage: gradus <verb> [arguments] [--json]',
    '',
    ...rows,
    '',
    'New here? gradus start',
    'gradus <verb> --help shows its options. Exit codes: 0 done, 1 failed, 2 usage or unreadable input,',
    '3 finished but items were left out, 130 interrupted. Nothing is ever sent anywhere by itself.',
    '',
  ].join('\n')
}

const terminal: Terminal = {
  out: (text) => void process.stdout.write(harmless(text)),
  err: (text) => void process.stderr.write(harmless(text)),
  colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  interactive: process.stderr.isTTY === true,
  columns: process.stdout.columns ?? 100,
}

// A reader that stops early (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done)
  process.exit(report(cannotWrite('standard output', error), process.argv.includes('--json'), terminal))
})
// Ctrl-C leaves nothing half-written; a verb that ends by itself (serve) has a listener of its own.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) > 1) return
    discardUnfinished()
    const found = `${signal}; no output was written`
    terminal.err(`${explain(new GradusError('GRD-RUN-002', { found, try: ['the same command again'] }))}\n`)
    process.exit(EXIT.interrupted)
  })
}
process.exitCode = await main(process.argv.slice(2), terminal)
