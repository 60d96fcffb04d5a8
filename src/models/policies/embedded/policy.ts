import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import type { Problem, Step, Usage } from '../../../core/words.ts'
import { addUsage, NO_USAGE } from '../../../core/words.ts'
import { Batcher } from '../../../engine/batcher.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Weighed, Written } from '../../../engine/rollout.ts'
import type { Sampler } from '../../../engine/sampler.ts'
import { END, splitter, type Tokenizer } from '../../training/transformer/tokenizer.ts'
import type { Policy } from '../policy.ts'
import type { Sample } from './generate-options.ts'
import { type Lesson, lessonsOf, renderPrompt } from './lessons.ts'
import { RECIPES } from './recipes.ts'
import { type TextModel, threadedModel } from './threaded.ts'

export interface EmbeddedPolicyOptions {
  /** Keeps, counts and limits what is sampled, as for any other model. */
  engine: Engine
  /** 0 takes the likeliest token; default 1. */
  temperature?: number
  /** Name of the seed of every draw; default `0`. */
  seed?: string
}

/** What is needed of a model; identity is the checksum of the weights. */
type PolicyModel = TextModel & { name: string; card: { sha256: string } }

/** One request to the model; sample i is drawn with `seed/i`. */
interface Request {
  text: string
  stop: string[]
  temperature: number
  seed: string
}

/** Samples of one problem that make one call: they share the work on the prompt, and a budget still cuts finely. */
const PER_CALL = 16

/**
 * Shipped weights as a writer of steps, one step a line.
 * @throws GradusError GRD-MODEL-004 where there is no such model, GRD-MODEL-003 where it is damaged
 */
export async function embeddedPolicy(
  name: string,
  options: EmbeddedPolicyOptions & { root?: string },
): Promise<Policy> {
  const model = threadedModel(name, options)
  const recipe = RECIPES.find((each) => each.name === name)
  return policyOf(model, recipe ? lessonsOf(recipe) : [], options)
}

/**
 * A transformer in this process as a writer of steps.
 *
 * A problem is read as in training: the lesson of its `domain` says which mark stands before the prompt and when the
 * environment answers; such an answer is an `observation` step of its own, and costs nothing. A step's tokens are those
 * of its text and of what ended it, so that the log-probabilities of a run's steps add up to that of the run.
 *
 * Draws depend on the seed, the problem's id, the steps before and the number of the sample, never on what else is
 * being sampled: concurrent requests share a batch.
 */
export function policyOf(model: PolicyModel, lessons: readonly Lesson[], options: EmbeddedPolicyOptions): Policy {
  const { engine, temperature = 1, seed = '0' } = options
  const sampler = embeddedSampler(model)
  const scorer = embeddedScorer(model)
  const tokensIn = tokenCounter(model)
  const identity = { sampler: sampler.identity, sampling: { temperature, seed } }

  async function draw(
    problem: Problem,
    lesson: Lesson,
    steps: readonly Step[],
    samples: { from: number; count: number },
    single: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Written[]> {
    const lines = steps.map((step) => step.text)
    const text = [renderPrompt(lesson.mark, problem), ...lines].map((line) => `${line}\n`).join('')
    if (steps.length > 0 && tokensIn(text) + 1 > model.config.context) {
      return Array.from({ length: samples.count }, () => ({ ok: true, steps: [], end: 'length', usage: NO_USAGE }))
    }
    const request: Request = {
      text,
      stop: single ? ['\n'] : [],
      temperature,
      seed: `${seed}/${problem.id}/${contentHash(lines)}`,
    }
    const outcomes = await engine.sample(sampler, request, { ...samples, ...(signal && { signal }) })
    return outcomes.map((outcome): Written => {
      if (!outcome.ok) return { ok: false, error: outcome.error, usage: NO_USAGE }
      const cut = linesOf(outcome.value, model.tokenizer)
      const written = cut.map(({ text: line, tokens }): Step => {
        const asks = lesson.reply !== undefined && lesson.reply(problem, line) !== null
        return { text: line, kind: asks ? 'action' : 'thought', tokens }
      })
      const { finish } = outcome.value
      const end = finish === 'length' ? 'length' : finish === 'stop' && written.length > 0 ? 'step' : 'stop'
      return { ok: true, steps: written, end, usage: outcome.usage }
    })
  }

  async function next(
    problem: Problem,
    steps: readonly Step[],
    sample: number,
    signal: AbortSignal | undefined,
  ): Promise<Written> {
    const lesson = lessons.find(({ task }) => task.name === problem.domain)
    if (!lesson) return unlearnt(problem)
    const last = steps.at(-1)
    const reply = last && last.observation === undefined ? lesson.reply?.(problem, last.text) : null
    if (reply) return { ok: true, steps: [{ text: reply, kind: 'observation' }], end: 'step', usage: NO_USAGE }
    const [written] = await draw(problem, lesson, steps, { from: sample, count: 1 }, true, signal)
    return written ?? { ok: true, steps: [], end: 'stop', usage: NO_USAGE }
  }

  /** Line by line, with the environment's line after each that asks for one. */
  async function playOut(problem: Problem, prefix: readonly Step[], sample: number, signal?: AbortSignal) {
    const added: Step[] = []
    let usage: Usage = NO_USAGE
    for (;;) {
      const written = await next(problem, [...prefix, ...added], sample, signal)
      usage = addUsage(usage, written.usage)
      if (!written.ok) return { ...written, usage }
      added.push(...written.steps)
      if (written.end !== 'step') return { ...written, steps: added, usage }
    }
  }

  async function completeMany(
    problem: Problem,
    steps: readonly Step[],
    samples: { from: number; count: number },
    signal?: AbortSignal,
  ): Promise<Written[]> {
    const numbers = Array.from({ length: samples.count }, (_, i) => samples.from + i)
    const lesson = lessons.find(({ task }) => task.name === problem.domain)
    if (!lesson) return numbers.map(() => unlearnt(problem))
    if (lesson.reply) return Promise.all(numbers.map((sample) => playOut(problem, steps, sample, signal)))
    return draw(problem, lesson, steps, samples, false, signal)
  }

  async function logprobs(
    problem: Problem,
    steps: readonly Step[],
    continuation: readonly string[],
    signal?: AbortSignal,
  ): Promise<Weighed> {
    const lesson = lessons.find(({ task }) => task.name === problem.domain)
    if (!lesson) return unlearnt(problem)
    const ended = (texts: readonly string[]): string => texts.map((line) => `${line}\n`).join('')
    const before = ended([renderPrompt(lesson.mark, problem), ...steps.map((step) => step.text)])
    const text = before + ended(continuation)
    const [outcome] = await engine.sample(scorer, { text }, signal && { signal })
    if (!outcome?.ok) return { ok: false, error: outcome?.error ?? new GradusError('GRD-CALL-008'), usage: NO_USAGE }
    return { ok: true, logprobs: outcome.value.slice(tokensIn(before)), usage: outcome.usage }
  }

  function unlearnt(problem: Problem): { ok: false; error: GradusError; usage: Usage } {
    const error = new GradusError('GRD-WORLD-001', {
      where: { field: 'problem.domain' },
      found: problem.domain ?? 'nothing',
      expected: `a task that ${model.name} has learnt: ${lessons.map(({ task }) => task.name).join(', ')}`,
    })
    return { ok: false, error, usage: NO_USAGE }
  }

  return {
    name: `embedded:${model.name}`,
    identity,
    hash: contentHash(identity).slice(0, 12),
    next: (problem, steps, sample, signal) => next(problem, steps, sample, signal),
    async complete(problem, steps, sample, signal) {
      const [written] = await completeMany(problem, steps, { from: sample, count: 1 }, signal)
      return written ?? { ok: true, steps: [], end: 'stop', usage: NO_USAGE }
    },
    completeMany,
    logprobs,
  }
}

/** Given texts under the model: log p of each token; those that arrive together are computed together. */
function embeddedScorer(model: PolicyModel): Sampler<{ text: string }, number[]> {
  const tokensIn = tokenCounter(model)
  const batcher = new Batcher<string, number[]>(async (texts) => {
    return (await model.score(texts)).map(({ logprobs }) => logprobs)
  })
  return {
    identity: { embedded: model.name, sha256: model.card.sha256, scores: true },
    pool: `embedded:${model.name}`,
    perCall: () => 1,
    expect: ({ text }) => ({ promptTokens: tokensIn(text), completionTokens: 0 }),
    async call({ text }) {
      return { values: [await batcher.ask(text)], usage: { promptTokens: tokensIn(text), completionTokens: 0 } }
    },
  }
}

/** The model as the engine sees it; calls that arrive together are computed together. */
function embeddedSampler(model: PolicyModel): Sampler<Request, Sample> {
  const maxTokens = model.config.context
  const tokensIn = tokenCounter(model)
  const batcher = new Batcher<Request & { samples: readonly number[] }, Sample[]>(async (calls) => {
    const out: Sample[][] = calls.map(() => [])
    const groups = Map.groupBy(calls.entries(), ([, { stop, temperature }]) => JSON.stringify([stop, temperature]))
    for (const group of groups.values()) {
      const rows = group.flatMap(([at, call]) => call.samples.map((sample) => ({ at, call, sample })))
      const settings = group[0]?.[1]
      const drawn = await model.generate({
        prompts: rows.map(({ call }) => call.text),
        seeds: rows.map(({ call, sample }) => `${call.seed}/${sample}`),
        maxTokens,
        temperature: settings?.temperature ?? 1,
        stop: settings?.stop ?? [],
      })
      for (const [i, one] of drawn.entries()) out[rows[i]?.at ?? -1]?.push(one)
    }
    return out
  })
  return {
    identity: { embedded: model.name, sha256: model.card.sha256 },
    pool: `embedded:${model.name}`,
    perCall: () => PER_CALL,
    expect: ({ text }, samples) => ({
      promptTokens: tokensIn(text),
      completionTokens: samples * (maxTokens - tokensIn(text)),
    }),
    async call(request, samples) {
      const values = await batcher.ask({ ...request, samples })
      const completionTokens = values.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0)
      return { values, usage: { promptTokens: tokensIn(request.text), completionTokens } }
    },
  }
}

/** Tokens of a text; one that the model cannot read is counted too, and refused where it is sampled. */
function tokenCounter({ tokenizer }: PolicyModel): (text: string) => number {
  const split = splitter(tokenizer.alphabet)
  return (text) => split(text).length
}

/** The lines of a sample, each with its tokens (the line break or end behind it included); an empty line ends the text. */
function linesOf(
  { tokenIds, logprobs }: Sample,
  tokenizer: Tokenizer,
): { text: string; tokens: NonNullable<Step['tokens']> }[] {
  const lines: { text: string; tokens: NonNullable<Step['tokens']> }[] = []
  let from = 0
  for (let at = 0; at < tokenIds.length; at++) {
    const ends = tokenIds[at] === END || tokenizer.decode(tokenIds.slice(at, at + 1)) === '\n'
    if (!ends && at + 1 < tokenIds.length) continue
    const text = tokenizer.decode(tokenIds.slice(from, ends ? at : at + 1))
    if (text === '') break
    lines.push({ text, tokens: { ids: tokenIds.slice(from, at + 1), logprobs: logprobs.slice(from, at + 1) } })
    from = at + 1
  }
  return lines
}
