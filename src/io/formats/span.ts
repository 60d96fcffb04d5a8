import { anyText, entryOf } from '../../core/unknown.ts'
import type { Usage } from '../../core/words.ts'
import type { Message, Tool } from './conversation.ts'
import type { At } from './format.ts'
import { asList, asNumber, asObject, asText, type JsonObject, objects, pick, present, unwrapJson } from './loose.ts'
import { readMessages, readTools } from './messages.ts'
import { textOf } from './messages-parts.ts'

/** A span of any tracer. */
export interface Span {
  id: string
  parent?: string
  trace: string
  name: string
  /** For ordering only; milliseconds. */
  start: number
  attributes: JsonObject
  events: { name: string; attributes: JsonObject }[]
  failed: boolean
  /** Where the tracer itself says what the span is. */
  kind?: SpanKind
  /** Where the tracer keeps it beside the attributes. */
  usage?: Usage
}

export type SpanKind = 'model' | 'tool' | 'other'

/** What one span says by its attributes. */
export interface Said {
  kind: SpanKind
  inputs: Message[]
  outputs: Message[]
  tools: Tool[]
  usage?: Usage
  model?: string
  agent?: string
  tool?: ToolRun
}

export interface ToolRun {
  name: string
  input: unknown
  id?: string
  output?: string
}

/**
 * Reads the conventions side by side: GenAI (current, deprecated, indexed, and as events), OpenInference, AI SDK,
 * Google ADK, and plain `input` / `output`.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/
 * @see https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
 */
export function readSpan(span: Span, at: At): Said {
  const a = span.attributes
  const kind = span.kind ?? kindOf(span)
  const usage = span.usage ?? usageOf(a)
  const head = {
    kind,
    tools: readTools(pick(a, 'gen_ai.tool.definitions')),
    usage: usage && (usage.promptTokens + usage.completionTokens > 0 || 'gradus.calls' in a) ? usage : undefined,
    model: asText(
      pick(a, 'gen_ai.response.model', 'gen_ai.request.model', 'llm.model_name', 'ai.response.model', 'ai.model.id'),
    ),
    agent: asText(pick(a, 'gen_ai.agent.name', 'agent.name')),
  }
  if (kind === 'tool') return present<Said>({ ...head, inputs: [], outputs: [], tool: toolOf(span) })
  return present<Said>({ ...head, inputs: inputsOf(span, at), outputs: outputsOf(span, at) })
}

const AGENT_OPERATION = /^(invoke_agent|create_agent|embeddings)$/
const MODEL_OPERATION = /^(chat|text_completion|generate_content|completion)$/

function kindOf({ name, attributes: a }: Span): SpanKind {
  const operation = anyText(a['gen_ai.operation.name'] ?? '')
  const inference = anyText(a['openinference.span.kind'] ?? '')
  if (operation === 'execute_tool' || inference === 'TOOL' || a['ai.toolCall.name'] !== undefined) return 'tool'
  if (a['traceloop.span.kind'] === 'tool' || /^execute_tool /.test(name)) return 'tool'
  if (inference === 'LLM' || MODEL_OPERATION.test(operation) || a['llm.request.type'] !== undefined) return 'model'
  if (/^ai\.\w+(\.do\w+)?$/.test(anyText(a['ai.operationId'] ?? '')) && !/embed/i.test(anyText(a['ai.operationId'])))
    return 'model'
  if (AGENT_OPERATION.test(operation)) return 'other'
  const modelish = [
    'gen_ai.output.messages',
    'gen_ai.completion',
    'gen_ai.completion.0.role',
    'gcp.vertex.agent.llm_response',
  ]
  return modelish.some((key) => a[key] !== undefined && a[key] !== '{}') ? 'model' : 'other'
}

function usageOf(a: JsonObject): Usage | undefined {
  const first = (...names: string[]): number | undefined => asNumber(pick(a, ...names))
  const input = first(
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.prompt_tokens',
    'llm.token_count.prompt',
    'ai.usage.inputTokens',
    'ai.usage.promptTokens',
  )
  const output = first(
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.completion_tokens',
    'llm.token_count.completion',
    'ai.usage.outputTokens',
    'ai.usage.completionTokens',
  )
  if (input === undefined && output === undefined) return undefined
  const cachedTokens = first(
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_read_input_tokens',
    'llm.token_count.prompt_details.cache_read',
    'ai.usage.cachedInputTokens',
  )
  const total = first('llm.token_count.total')
  const thoughts = total !== undefined && total > (input ?? 0) + (output ?? 0) ? total - (input ?? 0) : undefined
  const completionTokens = thoughts ?? output ?? 0
  const calls = asNumber(a['gradus.calls']) ?? 1
  const cost = asNumber(a['gradus.cost'])
  return {
    calls,
    promptTokens: input ?? 0,
    completionTokens,
    cachedTokens: cachedTokens ?? 0,
    seconds: 0,
    ...(cost !== undefined && { cost }),
  }
}

function toolOf({ name, attributes: a, events }: Span): ToolRun {
  const input = pick(
    a,
    'gen_ai.tool.call.arguments',
    'gcp.vertex.agent.tool_call_args',
    'ai.toolCall.args',
    'tool_arguments',
    'tool_call.function.arguments',
    'input.value',
    'traceloop.entity.input',
    'input',
  )
  const output = pick(
    a,
    'gen_ai.tool.call.result',
    'gcp.vertex.agent.tool_response',
    'ai.toolCall.result',
    'tool_response',
    'output.value',
    'traceloop.entity.output',
    'output',
  )
  const error = events.find((e) => e.name === 'exception')?.attributes['exception.message']
  const said = output ?? error
  return present<ToolRun>({
    name: asText(pick(a, 'gen_ai.tool.name', 'tool.name', 'ai.toolCall.name')) ?? name.replace(/^execute_tool /, ''),
    input: unwrapJson(input ?? {}),
    id: asText(pick(a, 'gen_ai.tool.call.id', 'tool_call.id', 'ai.toolCall.id')),
    output: said === undefined ? undefined : textOf(contentOf(said)),
  })
}

/** A tool's answer may be wrapped as `{content: [...]}` (MCP) inside JSON text. */
function contentOf(output: unknown): unknown {
  const inner = asObject(unwrapJson(output))
  const content = asList(inner?.content)
  if (content.length > 0) return content
  return output
}

function inputsOf(span: Span, at: At): Message[] {
  const a = span.attributes
  const told = [
    readMessages(a['gen_ai.input.messages'], 'user', at),
    readMessages(unindexed(a, 'gen_ai.prompt.'), 'user', at),
    readMessages(a['gen_ai.prompt'], 'user', at),
    eventMessages(span, at, (name) => name !== 'gen_ai.choice'),
    readMessages(unindexed(a, 'llm.input_messages.'), 'user', at),
    readMessages(a['ai.prompt.messages'], 'user', at),
    readPrompt(a['ai.prompt'], at),
    readMessages(a['gcp.vertex.agent.llm_request'], 'user', at),
    readPrompt(a['input.value'], at),
    readPrompt(a.input, at),
  ]
  const system = readMessages(a['gen_ai.system_instructions'], 'system', at)
  return [...system.map((m): Message => ({ ...m, role: 'system' })), ...richest(told)]
}

function outputsOf(span: Span, at: At): Message[] {
  const a = span.attributes
  const sdk = {
    text: pick(a, 'ai.response.text', 'ai.response.object'),
    tool_calls: unwrapJson(a['ai.response.toolCalls']),
    reasoning: a['ai.response.reasoning'],
  }
  const told = [
    readMessages(a['gen_ai.output.messages'], 'assistant', at),
    readMessages(unindexed(a, 'gen_ai.completion.'), 'assistant', at),
    readMessages(a['gen_ai.completion'], 'assistant', at),
    eventMessages(span, at, (name) => name === 'gen_ai.choice'),
    joinTokens(readMessages(unindexed(a, 'llm.output_messages.'), 'assistant', at)),
    Object.values(sdk).some((v) => v !== undefined) ? readMessages({ role: 'assistant', ...sdk }, 'assistant', at) : [],
    readMessages(a['gcp.vertex.agent.llm_response'], 'assistant', at),
    readMessages(a['output.value'], 'assistant', at),
    readMessages(a.output, 'assistant', at),
  ]
  return richestAnswer(told)
}

/** A prompt that may be messages, a text, or an object with a text under one of the usual names. */
function readPrompt(value: unknown, at: At): Message[] {
  const inner = unwrapJson(value)
  const object = asObject(inner)
  const text = object ? (pick(object, 'prompt', 'query', 'question') ?? asList(object.args)[0]) : undefined
  if (object && typeof text === 'string' && object.messages === undefined) {
    const system = asText(object.system)
    return [
      ...(system === undefined ? [] : readMessages(system, 'system', at)),
      { role: 'user', parts: [{ type: 'text', text }] },
    ]
  }
  return readMessages(inner, 'user', at)
}

/** Messages as span events, or as the attribute `events` that holds a list of them. */
function eventMessages(span: Span, at: At, wanted: (name: string) => boolean): Message[] {
  const listed = objects(unwrapJson(span.attributes.events)).map((e) => ({
    name: anyText(e['event.name']),
    attributes: e,
  }))
  return [...span.events, ...listed].flatMap(({ name, attributes }) => {
    const role = /^gen_ai\.(system|user|assistant|tool)\.message$/.exec(name)?.[1]
    if ((role === undefined && name !== 'gen_ai.choice') || !wanted(name)) return []
    const id = attributes.id
    const body = { ...(role !== undefined && { role }), ...attributes, ...(role === 'tool' && { tool_call_id: id }) }
    const message = asObject(unwrapJson(attributes.message))
    return readMessages(message ?? body, name === 'gen_ai.choice' ? 'assistant' : 'user', at)
  })
}

/**
 * Messages from flattened keys: `llm.input_messages.0.message.role`, `gen_ai.prompt.0.tool_calls.1.name`. Indexes are
 * ordered as numbers; the convention's wrappers `message`, `tool_call` and `message_content` are taken off.
 */
export function unindexed(attributes: JsonObject, prefix: string): unknown[] {
  const root: JsonObject = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (!key.startsWith(prefix)) continue
    const path = key.slice(prefix.length).split('.')
    let node = root
    for (const name of path.slice(0, -1)) {
      const next = asObject(node[name]) ?? {}
      node[name] = next
      node = next
    }
    const leaf = path.at(-1)
    if (leaf !== undefined) node[leaf] = value
  }
  return asList(listed(root))
}

const WRAPPERS: Record<string, string> = {
  message: '',
  tool_call: '',
  message_content: '',
  contents: 'content',
}

function listed(value: unknown): unknown {
  const object = asObject(value)
  if (!object) return value
  const keys = Object.keys(object)
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    return keys.sort((x, y) => Number(x) - Number(y)).map((key) => listed(object[key]))
  }
  const out: JsonObject = {}
  for (const key of keys) {
    const inner = listed(object[key])
    const name = entryOf(WRAPPERS, key)
    if (name === '') Object.assign(out, asObject(inner))
    else out[name ?? key] = inner
  }
  return out
}

/** The telling with most calls and results, then with most messages; of equals the first, which is the innermost. */
export function richest(tellings: readonly Message[][]): Message[] {
  return best(tellings, (telling) => 1e6 * structured(telling) + telling.length)
}

/** As `richest`, for what a model said: an agent's output may repeat the whole conversation, that is not more. */
export function richestAnswer(tellings: readonly Message[][]): Message[] {
  const own = tellings.filter((telling) => telling.every((m) => m.role === 'assistant'))
  return best(own.some((t) => t.length > 0) ? own : tellings, structured)
}

const structured = (telling: readonly Message[]): number =>
  telling.flatMap((m) => m.parts).filter((p) => p.type === 'call' || p.type === 'result').length

function best(tellings: readonly Message[][], rank: (telling: Message[]) => number): Message[] {
  const told = tellings.filter((telling) => telling.some((m) => m.parts.length > 0))
  return told.reduce<Message[] | undefined>((a, b) => (a === undefined || rank(b) > rank(a) ? b : a), undefined) ?? []
}

/** One answer that is written as a message for each token of the stream. */
const STREAMED_TOKENS = 10

function joinTokens(messages: Message[]): Message[] {
  const texts = messages.flatMap((m) =>
    m.parts.map((p) => (m.role === 'assistant' && p.type === 'text' ? p.text : undefined)),
  )
  if (messages.length < STREAMED_TOKENS || texts.some((t) => t === undefined)) return messages
  return [{ role: 'assistant', parts: [{ type: 'text', text: texts.join('') }] }]
}
