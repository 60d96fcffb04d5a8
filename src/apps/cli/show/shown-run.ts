import { GradusError } from '../../../core/errors.ts'
import type { Engine } from '../../../engine/engine.ts'
import { stopOnInterrupt } from '../../../engine/interrupt.ts'
import type { FigureData } from '../../../prove/report/figure-data.ts'
import type { RunFolder } from '../../pipeline/run/folder.ts'
import { EXIT, type ExitCode, type Terminal } from '../verb.ts'
import { RunShow } from './run-show.ts'

interface Shown {
  folder: RunFolder
  engine: Engine
  terminal: Terminal
  json: boolean
}

/**
 * A run with its progress, Ctrl-C and end on the terminal; closes the engine.
 * @param work its first signal fires at the first Ctrl-C, the second at the second
 */
export async function shownRun(
  { folder, engine, terminal, json }: Shown,
  work: (signal: AbortSignal, abort: AbortSignal, say: (line: string) => void) => Promise<FigureData[]>,
): Promise<ExitCode> {
  const { path } = folder
  const leave = new AbortController()
  const abort = new AbortController()
  const forget = stopOnInterrupt(engine, process, (_, second) => {
    if (second) abort.abort()
    leave.abort(new GradusError('GRD-RUN-002', { try: ['the same command again'] }))
  })
  const show = new RunShow(folder, engine, terminal, json)
  try {
    const figures = await work(leave.signal, abort.signal, (line) => show.say(line))
    show.end()
    if (json) terminal.out(`${JSON.stringify({ folder: path, ...folder.state, figures })}\n`)
    else terminal.out(show.summary(figures))
    return EXIT.done
  } catch (error) {
    show.end()
    if (!(error instanceof GradusError) || !(leave.signal.aborted || error.code.startsWith('GRD-RUN-00'))) throw error
    if (error.code === 'GRD-RUN-004') throw error
    const why = leave.signal.aborted ? 'interrupted' : error.message
    terminal.err(`  ${why}: what is done is kept in ${path}; the same command goes on from there\n`)
    return leave.signal.aborted ? EXIT.interrupted : EXIT.lost
  } finally {
    forget()
    await engine.close()
  }
}
