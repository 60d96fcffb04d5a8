import type { Trace } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import { readTraces } from '../../../io/read.ts'
import { traceWriter } from '../../../io/write.ts'
import type { Policy } from '../../../models/policies/policy.ts'
import { openPolicy, type PolicySettings, readPolicySpec } from '../open-policy.ts'
import type { RunConfig, Size } from './config.ts'
import type { RunFolder } from './folder.ts'
import type { StageJobs } from './stage-jobs.ts'

/** What every stage of a run works with. */
export interface RunContext {
  config: RunConfig
  size: Size
  folder: RunFolder
  engine: Engine
  /** Who writes and labels traces; this process where absent. */
  jobs?: StageJobs
  signal: AbortSignal
  /** One line for whoever watches. */
  say(line: string): void
}

/** Policies of one run, opened once for each seed. */
export class RunPolicies {
  #context: RunContext
  #open = new Map<number, Promise<Policy>>()

  constructor(context: RunContext) {
    this.#context = context
  }

  /** @param draw number of the independent draw, from 0 */
  settings(draw: number): PolicySettings {
    const { config, size } = this.#context
    return {
      seed: Number.parseInt(config.seed, 10) * 1_000 + draw || draw,
      prompt: config.problems === undefined ? 'text' : 'chat',
      samples: size.reportSamples,
      by: 'gradus run',
      ...(config.key !== undefined && { keyFrom: config.key }),
    }
  }

  of(draw: number): Promise<Policy> {
    const known = this.#open.get(draw)
    if (known) return known
    const { config, engine, signal } = this.#context
    const opening = openPolicy(readPolicySpec(config.policy), engine, this.settings(draw), signal).then(
      ({ policy }) => policy,
    )
    this.#open.set(draw, opening)
    return opening
  }
}

/** Traces to a file of the folder, whole or not at all. */
export async function writeTraces(path: string, traces: AsyncIterable<Trace> | Iterable<Trace>): Promise<void> {
  const writer = await traceWriter(path, undefined, { index: true })
  try {
    for await (const trace of traces) await writer.write([trace])
  } catch (error) {
    await writer.abandon()
    throw error
  }
  await writer.close()
}

export async function tracesOf(path: string): Promise<Trace[]> {
  return (await readTraces(path, { strict: true })).traces
}
