import { contentHash } from '../../core/hash.ts'
import type { Label, Trace } from '../../core/words.ts'
import { conversationFromTrace, type Message, type Part, type Tool } from './conversation.ts'

/** A span to write, in no convention's words yet. Times are the order: traces have no clock. */
export interface WrittenSpan {
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits. */
  spanId: string
  /** Empty for the root. */
  parentSpanId: string
  name: string
  /** Its number in the trace. */
  order: number
  failed: boolean
  says: SpanSays
}

export type SpanSays =
  | { kind: 'agent' }
  | {
      kind: 'chat'
      agent?: string | undefined
      system: Part[]
      tools: Tool[]
      before: Message[]
      answer?: Message | undefined
    }
  | { kind: 'tool'; name: string; id?: string | undefined; input: unknown; output: string }
  | { kind: 'label'; label: Label }

/**
 * A trace as spans: the agent's, one for each message of the agent with the history as its input, one for each answered
 * call, and one for each label below the span of its step. Ids that are not those of OpenTelemetry are hashed.
 */
export function spansOfTrace(trace: Trace): WrittenSpan[] {
  return new Writer(trace).spans()
}

class Writer {
  private readonly out: WrittenSpan[] = []
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

  spans(): WrittenSpan[] {
    this.add(this.root, '', 'invoke_agent', { kind: 'agent' })
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
      this.add(id, this.root, `chat ${this.trace.source.generator}`.trim(), {
        kind: 'chat',
        agent: answer?.agent,
        system: instructions,
        tools: tools ?? [],
        before: turns.slice(0, before),
        answer,
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
    const run: SpanSays = { kind: 'tool', name: call.name, id: call.id, input: call.input, output: result.output }
    this.add(this.idOf(undefined), this.root, `execute_tool ${call.name}`, run, result.isError)
  }

  private addLabel(label: Label): void {
    const step = label.meaning === 'first-error' ? undefined : label.step
    const parent = (step === undefined ? undefined : this.spanOfStep[step]) ?? this.root
    this.add(this.idOf(undefined), parent, `evaluate ${label.meaning}`, { kind: 'label', label })
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

  private add(spanId: string, parentSpanId: string, name: string, says: SpanSays, failed = false): void {
    this.out.push({ traceId: this.traceId, spanId, parentSpanId, name, order: this.out.length, failed, says })
  }
}
