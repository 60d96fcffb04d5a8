import type { Trace } from '../core/words.ts'

/** Takes traces in order; nothing stands under the final name before `close`. */
export interface TraceWriter {
  write(traces: readonly Trace[]): Promise<void>
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}
