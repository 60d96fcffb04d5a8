import type { Trace } from '../core/words.ts'

/** Takes records in order; nothing stands under the final name before `close`. */
export interface RecordWriter<T> {
  write(records: readonly T[]): Promise<void>
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

export type TraceWriter = RecordWriter<Trace>
