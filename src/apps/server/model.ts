import { taskOfText } from '../../models/policies/embedded/cards.ts'
import type { TextModel } from '../../models/policies/embedded/threaded.ts'
import { splitter } from '../../models/training/transformer/tokenizer.ts'

/** A token with its text and log-probability (natural logarithm). */
export interface TokenScore {
  text: string
  id: number
  logprob: number
}

export interface Generated {
  text: string
  tokens: TokenScore[]
  finish: 'stop' | 'length'
}

export interface GenerateCall {
  prompt: string
  n: number
  maxTokens: number
  temperature: number
  stop: readonly string[]
  /** Sample i of the call is drawn with `seed/i`. */
  seed: string
}

/** What the server needs of a model. */
export interface ServedModel {
  name: string
  /** Longest prompt and answer together, tokens. */
  context: number
  tokensIn(text: string): number
  generate(calls: readonly GenerateCall[]): Promise<Generated[][]>
  score(prompts: readonly string[]): Promise<TokenScore[][]>
}

/**
 * The embedded transformer behind the server: one computation at a time, calls with equal settings in one batch.
 */
export function servedEmbedded(name: string, model: TextModel): ServedModel {
  const decode = (id: number): string => model.tokenizer.decode([id])
  const split = splitter(model.tokenizer.alphabet)
  return {
    name,
    context: model.config.context,
    tokensIn: (text) => split(text).length,
    async generate(calls) {
      const out: Generated[][] = calls.map(() => [])
      const groups = Map.groupBy(calls.entries(), ([, c]) => JSON.stringify([c.n, c.maxTokens, c.temperature, c.stop]))
      for (const group of groups.values()) {
        const first = group[0]![1]
        const samples = await model.generate({
          prompts: group.map(([, c]) => c.prompt),
          n: first.n,
          maxTokens: first.maxTokens,
          temperature: first.temperature,
          stop: first.stop,
          seeds: group.flatMap(([, c]) => Array.from({ length: first.n }, (_, i) => `${c.seed}/${i}`)),
        })
        group.forEach(([at], g) => {
          out[at] = samples.slice(g * first.n, (g + 1) * first.n).map(({ text, tokenIds, logprobs, finish }) => ({
            text,
            tokens: within(
              text,
              tokenIds.map((id, t) => ({ id, text: decode(id), logprob: logprobs[t]! })),
            ),
            finish: finish === 'length' ? 'length' : 'stop',
          }))
        })
      }
      return out
    },
    async score(prompts) {
      const scored = await model.score(prompts)
      return scored.map(({ tokenIds, logprobs }) =>
        tokenIds.map((id, t) => ({ id, text: decode(id), logprob: logprobs[t]! })),
      )
    },
  }
}

/** The tokens that begin within a text: the stop string and the end token behind it are left out. */
function within(text: string, tokens: readonly TokenScore[]): TokenScore[] {
  let at = 0
  return tokens.filter((token) => {
    const inside = at < text.length && token.text !== ''
    at += token.text.length
    return inside
  })
}

/**
 * Several models as one, by the name `embedded`: each prompt goes to the weights for its task, which its first
 * characters tell, and to `usual` where they tell none.
 *
 * @param byTask names of weights by task
 */
export function servedByTask(
  models: readonly ServedModel[],
  byTask: ReadonlyMap<string, string>,
  usual: ServedModel,
): ServedModel {
  const pick = (prompt: string): ServedModel => {
    const name = byTask.get(taskOfText(prompt) ?? '')
    return models.find((model) => model.name === name) ?? usual
  }
  /** Asks each model for its part and puts the answers back in order. */
  async function shared<C, R>(
    calls: readonly C[],
    promptOf: (call: C) => string,
    ask: (model: ServedModel, part: readonly C[]) => Promise<R[]>,
  ): Promise<R[]> {
    const out: R[] = []
    for (const [model, part] of Map.groupBy(calls.entries(), ([, call]) => pick(promptOf(call)))) {
      const answers = await ask(
        model,
        part.map(([, call]) => call),
      )
      for (const [i, answer] of answers.entries()) out[part[i]?.[0] ?? -1] = answer
    }
    return out
  }
  return {
    name: 'embedded',
    context: Math.max(...models.map(({ context }) => context)),
    tokensIn: (text) => pick(text).tokensIn(text),
    generate: (calls) =>
      shared(
        calls,
        ({ prompt }) => prompt,
        (model, part) => model.generate(part),
      ),
    score: (prompts) =>
      shared(
        prompts,
        (prompt) => prompt,
        (model, part) => model.score(part),
      ),
  }
}
