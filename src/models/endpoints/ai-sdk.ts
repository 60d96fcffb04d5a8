import { anyText } from '../../core/unknown.ts'
import type { Usage } from '../../core/words.ts'
import { Fault } from '../../engine/fault.ts'
import type { ChatRequest, Completion, Endpoint, Generation, Message, Price } from './endpoint.ts'
import { redactKeys } from './key.ts'
import { probe } from './probe.ts'
import { costOf, estimateTokens, isRecord, statusFault, tryParse } from './wire.ts'

/**
 * The part of the AI SDK's `LanguageModelV3` and `LanguageModelV4` that is used here, as a structure, so that the SDK is
 * needed by those only who have such a model (`@ai-sdk/provider` 3 and 4).
 */
export interface AiSdkModel {
  readonly provider: string
  readonly modelId: string
  // The SDK's own prompt and content types differ from version to version in parts that are not used here.
  doGenerate(options: never): PromiseLike<AiSdkResult>
}

interface AiSdkResult {
  content: readonly { type: string }[]
  finishReason: unknown
  usage: unknown
}

/**
 * A model object of the AI SDK as an endpoint: chat only, one sample a call, no log-probabilities (the SDK has no field
 * for them), no streaming.
 *
 * The provider's own retries are not used: the SDK makes them above the model, and here the engine does.
 */
export function aiSdkEndpoint(
  model: AiSdkModel,
  options: { name?: string; concurrency?: number; price?: Price } = {},
): Endpoint {
  const name = options.name ?? model.provider
  // Called with a plain object that follows the common part of both versions.
  const generate = model.doGenerate.bind(model) as (call: unknown) => PromiseLike<AiSdkResult>
  const endpoint: Endpoint = {
    name,
    model: model.modelId,
    identity: { kind: 'ai-sdk', name, model: model.modelId },
    pool: `${name} ${model.modelId}`,
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.price && { price: options.price }),
    async generate(request, n, signal) {
      if (request.logprobs !== undefined) throw missing(name, 'log-probabilities')
      const result = await generate(callOptions(request, signal)).then(undefined, (error: unknown) => {
        throw signal.aborted ? signal.reason : toFault(error)
      })
      const completion = readContent(result)
      const promptChars = request.messages.reduce((sum, message) => sum + message.content.length, 0)
      const usage = readUsage(result.usage, promptChars, completion.text, options.price)
      const generation: Generation = { completions: [completion], usage }
      if (n > 1) generation.fault = new Fault('GRD-CALL-008', { found: '1', expected: String(n) })
      return generation
    },
    complete: async () => {
      throw missing(name, 'raw completions')
    },
    logprobs: async () => {
      throw missing(name, 'log-probabilities')
    },
    embed: async () => {
      throw missing(name, 'embeddings')
    },
    capabilities: (signal) => probe(endpoint, { streams: async () => false }, signal),
  }
  return endpoint
}

function missing(name: string, what: string): Fault {
  return new Fault('GRD-CALL-011', { found: `${name} is a language model of the AI SDK`, expected: what })
}

function callOptions(request: ChatRequest, abortSignal: AbortSignal): Record<string, unknown> {
  return {
    prompt: request.messages.map((message) => toPrompt(message, request.messages)),
    ...(request.maxTokens !== undefined && { maxOutputTokens: request.maxTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.topP !== undefined && { topP: request.topP }),
    ...(request.stop && { stopSequences: request.stop }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.schema !== undefined && { responseFormat: { type: 'json', name: 'answer', schema: request.schema } }),
    ...(request.tools && {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: 'function',
        name,
        ...(description !== undefined && { description }),
        inputSchema: parameters ?? { type: 'object' },
      })),
    }),
    ...(request.toolChoice && { toolChoice: { type: request.toolChoice } }),
    ...(request.extra && { providerOptions: request.extra }),
    abortSignal,
  }
}

function toPrompt(message: Message, all: readonly Message[]): Record<string, unknown> {
  const { role, content } = message
  if (role === 'system') return { role, content }
  if (role === 'user') return { role, content: [{ type: 'text', text: content }] }
  if (role === 'assistant') {
    const calls = (message.toolCalls ?? []).map(({ id, name, input }) => ({
      type: 'tool-call',
      toolCallId: id,
      toolName: name,
      input: tryParse(input) ?? input,
    }))
    return { role, content: [...(content === '' ? [] : [{ type: 'text', text: content }]), ...calls] }
  }
  const call = all.flatMap((other) => other.toolCalls ?? []).find((one) => one.id === message.toolCallId)
  const output = { type: 'text', value: content }
  const result = { type: 'tool-result', toolCallId: message.toolCallId ?? '', toolName: call?.name ?? '', output }
  return { role, content: [result] }
}

function readContent(result: AiSdkResult): Completion {
  if (!Array.isArray(result.content))
    throw new Fault('GRD-CALL-007', { found: 'no content', expected: 'a list of parts' })
  let text = ''
  let reasoning = ''
  const toolCalls: Completion['toolCalls'] = []
  for (const part of result.content as readonly unknown[]) {
    if (!isRecord(part)) continue
    if (part['type'] === 'text' && typeof part['text'] === 'string') text += part['text']
    else if (part['type'] === 'reasoning' && typeof part['text'] === 'string') reasoning += part['text']
    else if (part['type'] === 'tool-call') {
      const { toolCallId, toolName, input } = part
      const written = typeof input === 'string' ? input : JSON.stringify(input ?? {})
      toolCalls.push({ id: anyText(toolCallId), name: anyText(toolName), input: written })
    }
  }
  const unified = isRecord(result.finishReason) ? result.finishReason['unified'] : result.finishReason
  if (unified === 'error' || unified === 'interrupted') {
    throw new Fault('GRD-CALL-006', { found: `finish reason ${unified}` })
  }
  const finish =
    unified === 'stop' || unified === 'length' || unified === 'tool-calls'
      ? unified
      : unified === 'content-filter'
        ? 'filter'
        : 'other'
  return { text, finish, ...(reasoning !== '' && { reasoning }), ...(toolCalls.length > 0 && { toolCalls }) }
}

/** Totals are inside objects; where a provider does not count, characters / 4. */
function readUsage(usage: unknown, promptChars: number, text: string, price?: Price): Partial<Usage> {
  const side = (name: string, field: string): number | undefined => {
    const value = isRecord(usage) && isRecord(usage[name]) ? usage[name][field] : undefined
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined
  }
  const read = {
    promptTokens: side('inputTokens', 'total') ?? estimateTokens(promptChars),
    completionTokens: side('outputTokens', 'total') ?? estimateTokens(text.length),
    cachedTokens: side('inputTokens', 'cacheRead') ?? 0,
  }
  return price ? { ...read, cost: costOf(read, price) } : read
}

/** `APICallError` of the SDK carries status, headers and body; what carries none failed on its way. */
function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  if (isRecord(error) && typeof error['statusCode'] === 'number') {
    const body = redactKeys(
      typeof error['responseBody'] === 'string' ? error['responseBody'] : String(error['message']),
    )
    return statusFault(error['statusCode'], isRecord(error['responseHeaders']) ? error['responseHeaders'] : {}, body)
  }
  const message = redactKeys(error instanceof Error ? error.message : String(error))
  return new Fault('GRD-CALL-004', { found: message })
}
