import { GradusError } from '../core/errors.ts'
import type { Engine } from './engine.ts'

interface SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/**
 * The first Ctrl-C (or SIGTERM) starts nothing more and lets what is paid for arrive; the second gives that up at once.
 * @param onStop told each time, for the line on the terminal
 * @returns removes the listeners again
 */
export function stopOnInterrupt(
  engine: Engine,
  source: SignalSource = process,
  onStop: (calls: number, second: boolean) => void = () => undefined,
): () => void {
  let seen = 0
  const listener = (): void => {
    seen++
    const reason = new GradusError('GRD-RUN-002', { try: ['the same command again: it goes on where it stopped'] })
    onStop(engine.inFlight, seen > 1)
    if (seen === 1) engine.stop(reason)
    else engine.abort(reason)
  }
  source.on('SIGINT', listener)
  source.on('SIGTERM', listener)
  return () => {
    source.off('SIGINT', listener)
    source.off('SIGTERM', listener)
  }
}
