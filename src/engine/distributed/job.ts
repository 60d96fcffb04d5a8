import type { GradusError } from '../../core/errors.ts'
import { contentHash } from '../../core/hash.ts'
import type { Engine } from '../engine.ts'

/** What every machine must know to do an item of a job: plain JSON, and nothing that does not decide the output. */
export interface JobSpec {
  /** Name of a `JobKind`. */
  kind: string
  config: unknown
  /** What the items are made from, where the config does not say: digests of the input files. */
  inputs: readonly string[]
}

/** What a shard of the output is: native traces, one a line, or as a table. */
export const SHARD_FORMATS = ['jsonl', 'parquet'] as const
export type ShardFormat = (typeof SHARD_FORMATS)[number]

export interface JobSettings {
  /** Higher ones first. */
  priority?: number
  /** Items of a shard. */
  shardItems?: number
  /** Of the output; JSONL where absent. */
  format?: ShardFormat
  /** For all workers together. */
  budget?: { calls?: number; tokens?: number; cost?: number }
  /** Calls sent in a second by all workers together. */
  callsPerSecond?: number
}

/**
 * Jobs of this kind are done by the command that gives them, whose files they write: they have one shard, which stands in
 * no queue.
 */
export const BY_COMMAND = 'run'

/** Small enough that a lost worker costs little, large enough that a million items are 2,000 rows. */
export const SHARD_ITEMS = 500

/** Equal commands on equal inputs are one job, on whichever machine they are given. */
export function jobId({ kind, config, inputs }: JobSpec): string {
  return `${kind}-${contentHash([kind, config, inputs]).slice(0, 16)}`
}

/** What doing an item came to. */
export interface ItemResult {
  /** Lines of the output, without line ends. */
  lines: readonly string[]
  /** A line of a second file beside the output: what stands in no trace. */
  beside?: string
  /** Added up over the job, for its summary. */
  counts?: Record<string, number>
  /** What failed: the item is tried again, up to a limit. */
  lost?: readonly GradusError[]
}

/** One kind of work that can be done anywhere. */
export interface JobKind {
  name: string
  /** Items that may ask in the same words have the same name here; where they stand together they are one shard's. */
  together?(item: unknown): string
  /** Gets ready, once for a job and worker. */
  open(config: unknown, engine: Engine): Promise<OpenJob>
}

export interface OpenJob {
  /** Same item, same result, as far as models allow. */
  run(item: unknown): Promise<ItemResult>
  /** Items begun at once. */
  window: number
  /** An earlier job that may have asked in the same words, and kept its completions. */
  after?: string
  /** Are completions put beside the output, for a later job that asks in the same words? Else they go with the shard. */
  keepsCompletions?: boolean
}
