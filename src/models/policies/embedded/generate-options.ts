import { GradusError } from '../../../core/errors.ts'

export interface GenerateOptions {
  prompts: readonly string[]
  /** Samples of each prompt; default 1. */
  n?: number
  /** Most tokens of a sample; the model's context ends it earlier. */
  maxTokens: number
  /** 0 takes the likeliest token; default 1. */
  temperature?: number
  /** A sample ends with the first of these strings, which is left out of its text. */
  stop?: readonly string[]
  /**
   * One name a sample, `prompts × n`, the samples of a prompt together. A sample depends on its prompt, its own seed
   * and the settings, not on what is sampled beside it.
   */
  seeds: readonly string[]
}

export interface Sample {
  /** Without the stop string. */
  text: string
  /** Every sampled token, those of the stop string or the end token included. */
  tokenIds: number[]
  /** log p of each token by the model itself (temperature 1), natural logarithm. */
  logprobs: number[]
  /** A stop string, the model's own end token, or no room left. */
  finish: 'stop' | 'end' | 'length'
}

/** @throws GradusError GRD-CORE-001 unless there is one seed a sample */
export function checkSeeds({ prompts, n = 1, seeds }: GenerateOptions): void {
  if (seeds.length === prompts.length * n) return
  throw new GradusError('GRD-CORE-001', {
    found: `${seeds.length} seeds for ${prompts.length} prompts × ${n} samples`,
    expected: 'one seed a sample',
  })
}
