import type { Usage } from '../../core/words.ts'
import { asNumber, asObject, type JsonObject, objects, pick } from './loose.ts'

/**
 * Tokens of one model call, from any provider's usage object; undefined where there is none.
 *
 * Prompt tokens hold the cached ones, completion tokens hold the reasoning. Anthropic and Bedrock keep cache tokens
 * outside their input count, Gemini and xAI keep thoughts outside their output count; both are added in.
 * @see https://docs.anthropic.com/en/build-with-claude/prompt-caching (total input = input + cache reads + cache writes)
 * @see https://docs.anthropic.com/en/build-with-claude/compaction (billed = sum over `iterations`)
 */
export function readUsage(value: unknown): Usage | undefined {
  const usage = asObject(value)
  if (!usage) return undefined
  const iterations = objects(usage.iterations).flatMap((i) => readUsage(i) ?? [])
  if (iterations.length > 0) return { ...sumUsage(iterations), calls: iterations.length }
  const cohere = asObject(usage.tokens)
  if (cohere) return readUsage({ ...cohere, cached_tokens: usage.cached_tokens })

  const input = number(
    usage,
    'input_tokens',
    'prompt_tokens',
    'inputTokens',
    'promptTokens',
    'promptTokenCount',
    'input',
  )
  const output = number(
    usage,
    'output_tokens',
    'completion_tokens',
    'outputTokens',
    'completionTokens',
    'candidatesTokenCount',
    'output',
  )
  if (input === undefined && output === undefined) return undefined
  const outside = outsideInput(usage)
  const promptTokens = (input ?? 0) + outside.prompt
  return {
    calls: 1,
    promptTokens,
    completionTokens: withThoughts(usage, input ?? 0, output ?? 0),
    cachedTokens: outside.cached ?? cachedTokens(usage) ?? 0,
    seconds: 0,
  }
}

/** Sum of usages; undefined for none, so that absence is not read as zero. */
export function totalUsage(parts: readonly (Usage | undefined)[]): Usage | undefined {
  const known = parts.filter((u) => u !== undefined)
  return known.length === 0 ? undefined : sumUsage(known)
}

function sumUsage(parts: readonly Usage[]): Usage {
  const sum: Usage = { calls: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, seconds: 0 }
  for (const part of parts) {
    sum.calls += part.calls
    sum.promptTokens += part.promptTokens
    sum.completionTokens += part.completionTokens
    sum.cachedTokens += part.cachedTokens
    sum.seconds += part.seconds
    if (part.cost !== undefined) sum.cost = (sum.cost ?? 0) + part.cost
  }
  return sum
}

function number(usage: JsonObject, ...names: string[]): number | undefined {
  return asNumber(pick(usage, ...names))
}

/** Cache tokens that the input count leaves out: Anthropic's and Bedrock's way. */
function outsideInput(usage: JsonObject): { prompt: number; cached?: number } {
  if (asNumber(usage.prompt_tokens) !== undefined) return { prompt: 0 }
  const read = number(usage, 'cache_read_input_tokens', 'cacheReadInputTokens')
  const written = number(usage, 'cache_creation_input_tokens', 'cacheWriteInputTokens')
  if (read === undefined && written === undefined) return { prompt: 0 }
  return { prompt: (read ?? 0) + (written ?? 0), cached: read ?? 0 }
}

function cachedTokens(usage: JsonObject): number | undefined {
  const details = asObject(
    pick(usage, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details', 'inputTokenDetails'),
  )
  return (
    number(details ?? {}, 'cached_tokens', 'cache_read', 'cacheReadTokens') ??
    number(
      usage,
      'cached_tokens',
      'cached_input_tokens',
      'cachedInputTokens',
      'cachedContentTokenCount',
      'input_tokens_cache_read',
      'cache_read_input_tokens',
      'prompt_details.cache_read',
      'input_cache_read',
    )
  )
}

/** Output tokens with the thinking where the provider's own total shows that they are counted apart. */
function withThoughts(usage: JsonObject, input: number, output: number): number {
  const thoughts = number(usage, 'thoughtsTokenCount')
  if (thoughts !== undefined) return output + thoughts
  const details = asObject(usage.completion_tokens_details)
  const reasoning = number(details ?? {}, 'reasoning_tokens')
  const total = number(usage, 'total_tokens')
  return reasoning && total === input + output + reasoning ? output + reasoning : output
}
