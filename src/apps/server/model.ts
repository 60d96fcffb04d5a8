import type { EmbeddedModel } from '../../models/policies/embedded/index.ts'

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
  generate(calls: readonly GenerateCall[]): Promise<Generated[][]>
  score(prompts: readonly string[]): Promise<TokenScore[][]>
}

/**
 * The embedded transformer behind the server: one computation at a time, calls with equal settings in one batch.
 */
export function servedEmbedded(name: string, model: EmbeddedModel): ServedModel {
  const decode = (id: number): string => model.tokenizer.decode([id])
  return {
    name,
    context: model.config.context,
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
            // One token a character: the stop string and the end token behind the text are left out.
            tokens: tokenIds
              .slice(0, [...text].length)
              .map((id, t) => ({ id, text: decode(id), logprob: logprobs[t]! })),
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
