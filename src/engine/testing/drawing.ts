import type { JobKind } from '../distributed/job.ts'
import { httpSampler } from './http-sampler.ts'

/** Config and items of the job that the tests of several machines do. */
export interface Drawing {
  url: string
  /** Completions of an item. */
  n: number
  /** As in `OpenJob`. */
  keepsCompletions?: boolean
  after?: string
}

/** Draws n completions for a prompt from a server, one line each. */
export const drawing: JobKind = {
  name: 'drawing',
  async open(config, engine) {
    const { url, n, keepsCompletions = false, after } = config as Drawing
    const sampler = httpSampler(url, 'drawing')
    return {
      window: 4 * engine.concurrency,
      keepsCompletions,
      ...(after !== undefined && { after }),
      async run(item) {
        const outcomes = await engine.sample(sampler, String(item), { count: n })
        const lost = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]))
        const lines = outcomes.flatMap((outcome, sample) =>
          outcome.ok ? [JSON.stringify({ item, sample, text: outcome.value })] : [],
        )
        return { lines, counts: { completions: lines.length }, ...(lost.length > 0 && { lost }) }
      },
    }
  },
}
