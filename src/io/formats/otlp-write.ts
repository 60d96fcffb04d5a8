import { contentHash } from '../../core/hash.ts'
import type { Label, Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part } from './conversation.ts'
import type { JsonObject } from './loose.ts'

/**
 * A trace as one OTLP export: an `invoke_agent` span, a `chat` span for each message of the agent with the history as
 * its input, an `execute_tool` span for each answered call, and an EVALUATOR span (OpenInference) for each label below
 * the span of its step, with the attributes of the event `gen_ai.evaluation.result`.
 *
 * Traces have no clock: times are the order, in milliseconds from 0. Ids that are not those of OTLP are hashed.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
 */
export function writeOtlp(trace: Trace): unknown {
  return {
    resourceSpans: [
      {
        resource: { attributes: typed({ 'service.name': 'gradus' }) },
        scopeSpans: [{ scope: { name: 'gradus' }, spans: new Writer(trace).spans() }],
      },
    ],
  }
}

class Writer {
  private readonly out: JsonObject[] = []
  private readonly traceId: string
  private readonly root: string
  /** Span that holds a step. */
  private readonly spanOfStep: string[] = []
  private readonly used = new Set<string>()
  private readonly trace: Trace

  constructor(trace: Trace) {
    this.trace = trace
    this.traceId = /^[0-9a-f]{32}$/.test(trace.id) ? trace.id : contentHash(trace.id).slice(0, 32)
    this.root = contentHash(`${trace.id} root`).slice(0, 16)
  }

  spans(): JsonObject[] {
    const { usage, source } = this.trace
    this.add(this.root, '', 'invoke_agent', 1, {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.conversation.id': this.trace.id,
      'gen_ai.request.model': source.generator || undefined,
      'gen_ai.usage.input_tokens': usage?.promptTokens,
      'gen_ai.usage.output_tokens': usage?.completionTokens,
      'gen_ai.usage.cache_read.input_tokens': usage?.cachedTokens,
      'gradus.calls': usage?.calls,
      'gradus.outcome': this.trace.outcome,
    })
    this.addTurns()
    for (const label of this.trace.labels ?? []) this.addLabel(label)
    return this.out
  }

  private addTurns(): void {
    const { messages, tools } = conversationFromTrace(this.trace)
    const opening = messages.findIndex((m) => m.role !== 'system')
    const instructions = messages.slice(0, opening === -1 ? messages.length : opening).flatMap((m) => m.parts)
    const turns = messages.slice(instructions.length)
    // the k-th part that the agent said is its k-th step
    const said = this.trace.steps.flatMap((s, i) => (s.kind === 'observation' && !s.action ? [] : [i]))
    let told = 0
    const chat = (before: number, answer: Message | undefined): void => {
      const id = this.idOf(answer && said[0])
      this.add(id, this.root, `chat ${this.trace.source.generator}`.trim(), 3, {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': this.trace.source.generator || undefined,
        'gen_ai.agent.name': answer?.agent,
        'gen_ai.system_instructions': instructions.length > 0 ? JSON.stringify(instructions.map(writePart)) : undefined,
        'gen_ai.tool.definitions': tools && JSON.stringify(tools.map((t) => ({ type: 'function', ...t }))),
        'gen_ai.input.messages': JSON.stringify(turns.slice(0, before).map(writeMessage)),
        'gen_ai.output.messages': answer && JSON.stringify([writeMessage(answer)]),
      })
      told = before + 1
      for (const step of said.splice(0, answer?.parts.length ?? 0)) this.spanOfStep[step] = id
    }
    turns.forEach((turn, i) => {
      if (turn.role === 'assistant') chat(i, turn)
      else if (turn.role === 'tool') for (const part of turn.parts) this.addRun(part, turns.slice(0, i))
    })
    // what came after the last answer is told as the input of a call that was not answered
    if (turns.slice(told).some((t) => t.role !== 'tool')) chat(turns.length, undefined)
  }

  private addRun(result: Part, before: readonly Message[]): void {
    if (result.type !== 'result') return
    const call = before.flatMap((m) => m.parts).findLast((p) => p.type === 'call' && p.id === result.id)
    if (call?.type !== 'call') return
    const run = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': call.name,
      'gen_ai.tool.call.id': call.id,
      'gen_ai.tool.call.arguments': typeof call.input === 'string' ? call.input : JSON.stringify(call.input),
      'gen_ai.tool.call.result': result.output,
    }
    this.add(this.idOf(undefined), this.root, `execute_tool ${call.name}`, 1, run, result.isError)
  }

  private addLabel(label: Label): void {
    const step = label.meaning === 'first-error' ? undefined : label.step
    const parent = (step === undefined ? undefined : this.spanOfStep[step]) ?? this.root
    this.add(this.idOf(undefined), parent, `evaluate ${label.meaning}`, 1, {
      'openinference.span.kind': 'EVALUATOR',
      'gen_ai.evaluation.name': label.source,
      'gen_ai.evaluation.score.value': label.value ?? undefined,
      'gen_ai.evaluation.score.label': label.value === null ? label.reason : undefined,
      'gradus.label': JSON.stringify(label),
    })
  }

  /** The id that the step's origin names, where it is one of OTLP's and was not used; else a hash of the place. */
  private idOf(step: number | undefined): string {
    const origin =
      step === undefined ? undefined : /^([0-9a-f]{16})\./.exec(String(this.trace.steps[step]?.origin))?.[1]
    const id =
      origin !== undefined && !this.used.has(origin)
        ? origin
        : contentHash(`${this.trace.id} ${this.out.length}`).slice(0, 16)
    this.used.add(id)
    return id
  }

  private add(
    spanId: string,
    parentSpanId: string,
    name: string,
    kind: number,
    attributes: JsonObject,
    failed = false,
  ): void {
    const time = String(this.out.length * 1_000_000)
    this.out.push({
      traceId: this.traceId,
      spanId,
      parentSpanId,
      name,
      kind,
      startTimeUnixNano: time,
      endTimeUnixNano: time,
      attributes: typed(attributes),
      status: failed ? { code: 2 } : {},
    })
  }
}

function writeMessage(message: Message): JsonObject {
  const name = message.agent !== undefined && message.role !== 'assistant' ? { name: message.agent } : {}
  return { role: message.role, ...name, parts: message.parts.map(writePart) }
}

function writePart(part: Part): JsonObject {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return { type: part.type, content: part.text }
    case 'call':
      return { type: 'tool_call', id: part.id, name: part.name, arguments: part.input }
    case 'result':
      return { type: 'tool_call_response', id: part.id, response: part.output }
    case 'image':
      return { type: 'uri', modality: 'image', mime_type: part.mediaType, uri: part.path }
  }
}

function typed(attributes: JsonObject): JsonObject[] {
  return Object.entries(attributes).flatMap(([key, value]): JsonObject[] => {
    if (value === undefined) return []
    if (typeof value === 'number')
      return [{ key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } }]
    return [{ key, value: { stringValue: String(value) } }]
  })
}
