import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { NO_USAGE } from '../../../core/words.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { VllmServer } from '../../endpoints/vllm.ts'
import { promptOf } from '../../policies/renderer.ts'
import { textOf } from '../judge-prompt.ts'
import type { Line, RewardModel, Scored } from '../reward.ts'
import { checkScores } from '../scores.ts'
import type { PrmAdapter } from './form.ts'
import { Calls, readerOf, type Solution } from './readers.ts'

export interface PrmServers {
  engine: Engine
  server: VllmServer
  /** The model that a log-ratio is taken to, for adapters that need one. */
  reference?: VllmServer
}

/** Five steps: more than a chat template has turns, so that a row for each turn is not taken for a row for each step. */
const PROBE: Solution = {
  problem: 'Tom has 2 apples and buys 3 more. He eats 1 and gives 2 away. How many are left?',
  steps: [
    'He has 2 apples at first.',
    'With 3 more he has 2 + 3 = 5 apples.',
    'He eats 1, so 5 - 1 = 4 are left.',
    'He gives 2 away, so 4 - 2 = 2 are left.',
    'The answer is 2.',
  ],
}

/**
 * A public process reward model behind a server of the vLLM kind.
 *
 * Opening it scores one small solution, once a run: the separator must be one token (the published one, where one is
 * published), stand as often as there are steps, and give a number each. A model of another tokenizer, head or template
 * fails here and not in a table of results.
 * @throws GradusError GRD-MODEL-005 where the server's model is not the adapter's, GRD-CALL-* where it cannot be asked
 */
export async function openPrm(
  adapter: PrmAdapter,
  { engine, server, reference }: PrmServers,
  signal?: AbortSignal,
): Promise<RewardModel> {
  const read = readerOf(adapter.form, server, reference)
  const identity = ['prm', adapter.name, server.identity, reference?.identity ?? null]
  // What the calls of the test cost is on their own account.
  await engine.once(`test ${contentHash(identity)}`, { calls: 0 }, async () => {
    await probe(adapter, server, () => read(PROBE, new Calls(engine, signal)))
    return { usage: NO_USAGE }
  })

  async function scoreLine({ problem, steps }: Line, abort: AbortSignal | undefined): Promise<Scored> {
    if (steps.length === 0) return { ok: true, scores: [], usage: NO_USAGE }
    const calls = new Calls(engine, abort)
    try {
      const scores = await read({ problem: promptOf(problem), steps: steps.map(textOf) }, calls)
      return { ok: true, scores: checkScores(scores, steps.length), usage: calls.usage }
    } catch (error) {
      if (error instanceof GradusError) return { ok: false, error, usage: calls.usage }
      throw error
    }
  }

  return {
    name: adapter.name,
    identity,
    meaning: adapter.meaning,
    aggregate: adapter.aggregate,
    score: (lines, abort) => Promise.all(lines.map((line) => scoreLine(line, abort))),
  }
}

/** Wrong counts and numbers at the probe mean that it is another model. */
async function probe(adapter: PrmAdapter, server: VllmServer, read: () => Promise<(number | null)[]>): Promise<void> {
  const refuse = (found: string, cause?: unknown): GradusError =>
    new GradusError('GRD-MODEL-005', {
      found: `${server.model} at ${server.name}, read as ${adapter.name}: ${found}`,
      expected: `a model of ${adapter.home}, which gives a score for each of ${PROBE.steps.length} steps`,
      try: ['gradus methods reward-models   (the adapters)', 'another adapter, or the model that belongs to this one'],
      cause,
    })
  try {
    const scores = checkScores(await read(), PROBE.steps.length)
    if (scores.every((score) => score === null)) throw refuse('no step has a score')
  } catch (error) {
    if (error instanceof GradusError && error.code === 'GRD-REWARD-001') throw refuse(error.found ?? '', error)
    throw error
  }
}
