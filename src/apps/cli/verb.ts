import type { z } from 'zod'

/** What a verb may touch: results go to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  /** Colours only on a terminal without NO_COLOR. */
  colour: boolean
  /** Is a person watching? Then progress may be shown. */
  interactive: boolean
  columns: number
}

export const EXIT = { done: 0, failed: 1, usage: 2, lost: 3, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** One verb of the command line; flags and help are made from `options`. */
export interface Verb<O extends z.ZodObject = z.ZodObject> {
  name: string
  summary: string
  /** Positional arguments as shown: `<file...>`. */
  arguments: string
  options: O
  examples: readonly string[]
  run(args: readonly string[], options: z.output<O>, terminal: Terminal): Promise<ExitCode>
}

/** Keeps the types of options and run together. */
export function verb<O extends z.ZodObject>(v: Verb<O>): Verb<O> {
  return v
}
