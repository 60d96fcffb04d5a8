import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { VllmServer } from '../../endpoints/vllm.ts'
import { textRenderer } from '../../policies/renderer.ts'
import { lines as lineFormat } from '../../policies/step-format.ts'
import { Calls, commonLength } from '../prm-adapters/readers.ts'
import type { Line } from '../reward.ts'
import type { Body, Featured } from './body.ts'
import { normalised } from './embedded.ts'

export interface HiddenBodyOptions {
  engine: Engine
  server: VllmServer
  /** Where it is, for the card. */
  url: string
  /** NAME of the environment variable with the key. */
  keyFrom?: string
}

/** What is asked at opening; its first step alone is asked again. */
const PROBE: Line = {
  problem: { id: 'probe', prompt: 'Tom has 2 apples and buys 3 more. He eats 1. How many are left?' },
  steps: ['With 3 more he has 2 + 3 = 5 apples.', 'He eats 1, so 5 - 1 = 4 are left.'].map((text) => ({
    text,
    kind: 'thought',
  })),
}

/**
 * How far a state may move, relative to its length, when text comes behind it: what sums in bfloat16 leave in a few
 * dozen layers. In a model that reads both ways it moves by a large part of its length.
 */
const MOVES = 0.05

/**
 * Steps as the state of a model behind a server of the vLLM kind at the last token of each of them, divided by its root
 * mean square, so that a server that normalises its vectors gives the same as one that does not.
 *
 * Problem and steps are one text with a step a line, in one forward pass. A step ends where the tokens of the text up
 * to it and of the whole text are the same for the last time; a token across the border belongs to the later step.
 * @throws GradusError GRD-CALL-011 where the server gives no vector for each token, GRD-MODEL-005 where its model looks
 * at what stands behind a step, GRD-CALL-* where it cannot be asked
 */
export async function hiddenBody({ engine, server, url, keyFrom }: HiddenBodyOptions): Promise<Body> {
  const renderer = textRenderer()

  async function statesOf({ problem, steps }: Line, calls: Calls): Promise<Float32Array[]> {
    const textTo = (length: number): string => {
      const rendered = renderer.render(problem, steps.slice(0, length), lineFormat)
      return rendered.api === 'completions' ? rendered.prompt : ''
    }
    const [ids = [], ...parts] = await Promise.all(
      [steps.length, ...Array.from({ length: steps.length }, (_, length) => length)].map((length) =>
        calls.ask(server.tokens, { prompt: textTo(length) }),
      ),
    )
    const ends = [...parts.map((part) => commonLength(ids, part)), ids.length].map((length) => length - 1)
    const joined = ends.findIndex((end, i) => i > 0 && end <= (ends[i - 1] ?? -1))
    if (joined > 0) {
      throw new GradusError('GRD-REWARD-001', {
        where: { field: `steps[${joined - 1}].text` },
        found: 'a step without a token of its own',
        expected: 'a text, and a tokenizer that does not join it with its neighbours',
      })
    }
    const rows = await calls.ask(server.hidden, { ids, at: ends.slice(1) })
    return rows.map((row) => {
      const state = Float32Array.from(row, (x) => x ?? Number.NaN)
      if (row.length === (rows[0]?.length ?? 0) && row.length > 0 && state.every(Number.isFinite))
        return normalised(state)
      throw new GradusError('GRD-REWARD-001', {
        found: `a state of ${row.length} numbers${row.includes(null) ? ', not all of them finite' : ''}`,
        expected: `${rows[0]?.length} finite numbers`,
      })
    })
  }

  const width = await probe(server, (line) => statesOf(line, new Calls(engine)))

  async function featuresOf(line: Line, signal: AbortSignal | undefined): Promise<Featured> {
    if (line.steps.length === 0) return { ok: true, features: new Float32Array(), usage: NO_USAGE }
    const calls = new Calls(engine, signal)
    try {
      const features = new Float32Array(line.steps.length * width)
      for (const [step, state] of (await statesOf(line, calls)).entries()) {
        if (state.length !== width) {
          throw new GradusError('GRD-REWARD-001', { found: `${state.length} numbers`, expected: `${width}` })
        }
        features.set(state, step * width)
      }
      return { ok: true, features, usage: calls.usage }
    } catch (error) {
      if (error instanceof GradusError) return { ok: false, error, usage: calls.usage }
      throw error
    }
  }

  return {
    spec: {
      kind: 'hidden',
      url,
      model: server.model,
      ...(keyFrom !== undefined && { keyFrom }),
      width,
      renderer: contentHash(renderer.identity).slice(0, 12),
    },
    width,
    features: (all, signal) => Promise.all(all.map((line) => featuresOf(line, signal))),
  }
}

/** Numbers a state. @param states of a line */
async function probe(server: VllmServer, states: (line: Line) => Promise<Float32Array[]>): Promise<number> {
  const where = `${server.model} at ${server.name}`
  try {
    const [whole = new Float32Array()] = await states(PROBE)
    const [alone = new Float32Array()] = await states({ ...PROBE, steps: PROBE.steps.slice(0, 1) })
    const moved = Math.hypot(...whole.map((x, i) => x - (alone[i] ?? 0))) / Math.hypot(...whole)
    if (whole.length === alone.length && moved <= MOVES) return whole.length
    throw new GradusError('GRD-MODEL-005', {
      found: `${where} changes the state of a step by ${(100 * moved).toFixed(0)} % for what comes behind it`,
      expected: 'a model that reads from left to right',
      try: [`--body ${server.name}#${server.model}   (embeddings of all text up to each step)`],
    })
  } catch (error) {
    if (!(error instanceof GradusError) || !NO_STATES.includes(error.code)) throw error
    throw new GradusError('GRD-CALL-011', {
      found: `${where}: ${error.found ?? error.message}`,
      expected: 'one vector for each token of a prompt (/tokenize and /pooling, task token_embed)',
      try: [`vllm serve ${server.model} --runner pooling --convert embed`],
      cause: error,
    })
  }
}

/** How servers say that they have no such path or task, or answer with something else. */
const NO_STATES: readonly string[] = ['GRD-CALL-007', 'GRD-CALL-010', 'GRD-REWARD-001']
