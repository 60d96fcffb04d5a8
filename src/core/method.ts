import type { z } from 'zod'

/** The head that every method has; the catalogue, CLI flags, docs page and viewer forms are made from it. */
export interface Method {
  /** As the field or the paper calls it; kebab-case, unique within its room. */
  name: string
  /** One line, no full stop. */
  summary: string
  /** Card of the published system, without `.md`. */
  paper?: string
  /** Every option with default and description; `z.object({})` where there is none. */
  options: z.ZodObject
}

/** Options of a method after defaults. */
export type OptionsOf<M extends Method> = z.output<M['options']>
