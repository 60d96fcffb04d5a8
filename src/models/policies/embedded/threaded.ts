import { CACHE_STEP } from '../../training/transformer/config.ts'
import { splitter, tokenizerOf } from '../../training/transformer/tokenizer.ts'
import { type Card, findWeights, weightsFolder } from './cards.ts'
import { checkSeeds, type GenerateOptions, type Sample } from './generate-options.ts'
import type { EmbeddedModel, Scored } from './model.ts'
import { inThread, threadCount, warmThread } from './thread-pool.ts'

/** What writers of steps and servers need of an embedded model; `EmbeddedModel` has it too. */
export interface TextModel extends Pick<EmbeddedModel, 'config' | 'tokenizer'> {
  /** Samples, prompt by prompt. @throws GradusError GRD-MODEL-001, GRD-MODEL-002 */
  generate(options: GenerateOptions): Promise<Sample[]>
  /** Log-probabilities of whole texts, the first token's included. */
  score(texts: readonly string[]): Promise<Scored[]>
}

/** Rows of a job: as many as one computation takes, or a quarter where there would not be work for every thread. */
const JOB_ROWS = 128
const SMALL_JOB_ROWS = 32

/**
 * Shipped weights, computed with in threads of this process: it gives what the model of `loadEmbedded` gives.
 * @throws GradusError GRD-MODEL-004 where there is no such model, GRD-MODEL-003 where it is damaged
 */
export function threadedModel(
  name: string,
  { root = weightsFolder() }: { root?: string } = {},
): TextModel & { name: string; card: Card } {
  const { card } = findWeights(name, root)
  warmThread()
  const split = splitter(card.alphabet)
  const weights = { weights: name, root }

  /** Runs rows in jobs of like length; values come in the order of the rows. */
  async function inJobs<T>(texts: readonly string[], run: (rows: readonly number[]) => Promise<T[]>): Promise<T[]> {
    const lengths = new Map([...new Set(texts)].map((text) => [text, Math.ceil((split(text).length + 1) / CACHE_STEP)]))
    const size = texts.length < JOB_ROWS * threadCount() ? SMALL_JOB_ROWS : JOB_ROWS
    const jobs: number[][] = []
    for (const group of Map.groupBy(texts.keys(), (i) => lengths.get(texts[i] ?? '')).values()) {
      for (let at = 0; at < group.length; at += size) jobs.push(group.slice(at, at + size))
    }
    const out: T[] = []
    const values = await Promise.all(jobs.map(run))
    for (const [j, rows] of jobs.entries()) {
      for (const [i, row] of rows.entries()) out[row] = values[j]?.[i] as T
    }
    return out
  }

  return {
    name,
    card,
    config: card.config,
    tokenizer: tokenizerOf(card.alphabet),
    async generate({ prompts, n = 1, seeds, ...settings }) {
      checkSeeds({ prompts, n, seeds, ...settings })
      const rows = prompts.flatMap((prompt) => Array.from({ length: n }, () => prompt))
      return inJobs(rows, (own) => {
        const of = (from: readonly string[]): string[] => own.map((row) => from[row] ?? '')
        return inThread({ ...weights, generate: { ...settings, prompts: of(rows), seeds: of(seeds) } })
      })
    },
    score: (texts) => inJobs(texts, (own) => inThread({ ...weights, score: own.map((row) => texts[row] ?? '') })),
  }
}
