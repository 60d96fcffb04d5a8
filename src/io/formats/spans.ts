import type { Trace, Usage } from '../../core/words.ts'
import { type Message, type Part, traceFromConversation } from './conversation.ts'
import type { At } from './format.ts'
import { readSpan, richest, type Said, type Span } from './span.ts'
import { totalUsage } from './usage.ts'

/**
 * One trace for each trace id that tells of a model call or a tool run; other spans (HTTP, queues) are noise.
 *
 * A model call often appears as several nested spans: usage is taken from the innermost that has one, the messages from
 * the one of them that tells most. Inputs repeat the history, so that only what is new in them is added; a tool's
 * result is what the model was told, or else the output of the tool's span.
 */
export function tracesFromSpans(spans: readonly Span[], dataset: string, at: At): Trace[] {
  const byTrace = new Map<string, Span[]>()
  for (const span of spans) byTrace.set(span.trace, [...(byTrace.get(span.trace) ?? []), span])
  const traces: Trace[] = []
  for (const [id, own] of byTrace) {
    const trace = traceFromSpans(id, own, dataset, at)
    if (trace) traces.push(trace)
    else at.odd('trace without model calls or tools', id)
  }
  return traces
}

interface Node extends Said {
  span: Span
  children: Node[]
  parent?: Node
}

function traceFromSpans(id: string, spans: readonly Span[], dataset: string, at: At): Trace | undefined {
  const nodes = tree(spans, at)
  const calls = modelCalls(nodes)
  const runs = nodes.filter((n) => n.kind === 'tool')
  if (calls.length === 0 && runs.length === 0) return undefined

  const story = new Story()
  const events = [...calls.map((c) => ({ call: c, node: c.node })), ...runs.map((node) => ({ call: undefined, node }))]
  events.sort((a, b) => a.node.span.start - b.node.span.start)
  for (const { call, node } of events) {
    const agent = agentOf(node)
    if (!call) story.addRun(node, agent)
    else {
      story.addInputs(story.empty && call.inputs.length === 0 ? inherited(node) : call.inputs)
      story.addOutputs(call.outputs, node.span.id, agent)
    }
  }
  const head = {
    id,
    generator: calls.map((c) => c.model).find((m) => m !== undefined) ?? '',
    dataset,
    usage: totalUsage(calls.map((c) => c.usage)),
  }
  const tools = calls.find((c) => c.node.tools.length > 0)?.node.tools
  const trace = traceFromConversation({ messages: story.messages(), ...(tools && { tools }) }, head, at)
  for (const { action } of trace.steps) if (action?.id?.startsWith(NO_ID)) delete action.id
  return trace
}

function tree(spans: readonly Span[], at: At): Node[] {
  const nodes = spans.map((span): Node => ({ ...readSpan(span, at), span, children: [] }))
  const byId = new Map(nodes.map((node) => [node.span.id, node]))
  for (const node of nodes) {
    const parent = node.span.parent === undefined ? undefined : byId.get(node.span.parent)
    if (!parent || parent === node) continue
    node.parent = parent
    parent.children.push(node)
  }
  return nodes
}

interface ModelCall {
  node: Node
  inputs: Message[]
  outputs: Message[]
  usage?: Usage
  model?: string
}

/** Innermost spans that are a model call, each with what the spans around it say of the same call. */
function modelCalls(nodes: readonly Node[]): ModelCall[] {
  const candidates = new Set(nodes.filter((n) => n.kind !== 'tool' && (n.usage !== undefined || n.kind === 'model')))
  for (const node of candidates) if (isRepeated(node, nodes)) candidates.delete(node)
  const inner = new Map([...candidates].map((node) => [node, innermost(node, candidates)]))
  return [...candidates].flatMap((node): ModelCall[] => {
    if (inner.get(node)?.length !== 0) return []
    const around: Node[] = []
    for (let up = node.parent; up && up.kind !== 'tool'; up = up.parent) {
      if (candidates.has(up) && inner.get(up)?.length === 1) around.push(up)
    }
    const chain = [node, ...around]
    const told = [...chain, ...node.children.filter((c) => c.kind !== 'tool')]
    const usage = chain.find((n) => n.usage !== undefined)?.usage
    const model = chain.find((n) => n.model !== undefined)?.model
    const call = { node, inputs: richest(told.map((n) => n.inputs)), outputs: richest(told.map((n) => n.outputs)) }
    return [{ ...call, ...(usage && { usage }), ...(model !== undefined && { model }) }]
  })
}

/** Candidates below a span that hold no other; what happens inside a tool belongs to the tool. */
function innermost(node: Node, candidates: ReadonlySet<Node>): Node[] {
  return node.children.flatMap((child): Node[] => {
    if (child.kind === 'tool') return []
    const below = innermost(child, candidates)
    return below.length > 0 ? below : candidates.has(child) ? [child] : []
  })
}

/** The AI SDK's outer span beside its inner ones, where records have no parents: `ai.x` repeats `ai.x.doY`. */
function isRepeated(node: Node, nodes: readonly Node[]): boolean {
  const name = String(node.span.attributes['ai.operationId'] ?? '')
  if (name === '' || /\.do[A-Z]/.test(name)) return false
  return nodes.some((n) => String(n.span.attributes['ai.operationId'] ?? '').startsWith(`${name}.do`))
}

function inherited(node: Node): Message[] {
  for (let up = node.parent; up; up = up.parent) if (up.inputs.length > 0) return up.inputs
  return []
}

function agentOf(node: Node): string | undefined {
  for (let up: Node | undefined = node; up; up = up.parent) if (up.agent !== undefined) return up.agent
  return undefined
}

/** Mark of ids that the source does not have. */
const NO_ID = 'no-id#'

interface ToldCall {
  id: string
  name: string
  input: string
  result?: Part
  run?: Part
}

/** The conversation that inputs, outputs and tool runs tell together, each thing once. */
class Story {
  private readonly system: Message[] = []
  private readonly told: Message[] = []
  private readonly counts = new Map<string, number>()
  private readonly calls: ToldCall[] = []

  get empty(): boolean {
    return this.told.length === 0
  }

  addInputs(messages: readonly Message[]): void {
    const here = new Map<string, number>()
    for (const message of messages) {
      const fresh = message.parts.filter((part) => {
        if (part.type === 'result') return this.isNewResult(part, here)
        const key = keyOf(message, part)
        const count = (here.get(key) ?? 0) + 1
        here.set(key, count)
        if (count <= (this.counts.get(key) ?? 0)) return false
        this.counts.set(key, count)
        return true
      })
      if (fresh.length > 0) this.push(message, fresh)
    }
  }

  addOutputs(messages: readonly Message[], origin: string, agent: string | undefined): void {
    messages.forEach((message, i) => {
      for (const part of message.parts) {
        const key = keyOf(message, part)
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
      }
      const named = message.agent ?? agent
      this.push(
        { ...message, origin: i === 0 ? origin : `${origin}-${i}`, ...(named !== undefined && { agent: named }) },
        message.parts,
      )
    })
  }

  addRun(node: Said & { span: Span }, agent: string | undefined): void {
    const { tool, span } = node
    if (!tool) return
    const input = JSON.stringify(tool.input)
    const open = (c: ToldCall): boolean => c.run === undefined && c.name === tool.name
    const byId = tool.id === undefined ? undefined : this.calls.find((c) => c.id === tool.id)
    let call = byId ?? this.calls.find((c) => open(c) && c.input === input) ?? this.calls.find(open)
    if (!call) {
      const id = tool.id ?? `${NO_ID}${span.id}`
      const part: Part = { type: 'call', name: tool.name, input: tool.input, id }
      this.push({ role: 'assistant', parts: [part], origin: span.id, ...(agent !== undefined && { agent }) }, [part])
      call = this.calls.at(-1)
    }
    if (!call || tool.output === undefined) return
    call.run ??= { type: 'result', id: call.id, output: tool.output, ...(span.failed && { isError: true }) }
  }

  messages(): Message[] {
    const results = this.calls.flatMap((c) => c.result ?? c.run ?? [])
    const outcome: Message[] = results.length > 0 ? [{ role: 'tool', parts: results }] : []
    return [...this.system, ...this.told, ...outcome]
  }

  private push(message: Message, parts: readonly Part[]): void {
    const kept = parts.flatMap((part): Part[] => {
      if (part.type === 'result') return this.answer(part) ? [] : [part]
      if (part.type !== 'call') return [part]
      const id = part.id ?? `${NO_ID}${this.calls.length}`
      this.calls.push({ id, name: part.name, input: JSON.stringify(part.input) })
      return [{ ...part, id }]
    })
    if (kept.length > 0) (message.role === 'system' ? this.system : this.told).push({ ...message, parts: kept })
  }

  private answer(part: Extract<Part, { type: 'result' }>): boolean {
    const call = this.calls.find((c) => c.result === undefined && fits(c, part))
    if (call) call.result = { ...part, id: call.id }
    return call !== undefined
  }

  /** The n-th result of an input is new if fewer than n fitting calls were answered before. */
  private isNewResult(part: Extract<Part, { type: 'result' }>, here: Map<string, number>): boolean {
    const key = `result ${part.id ?? part.name ?? ''}`
    const count = (here.get(key) ?? 0) + 1
    here.set(key, count)
    const answered = this.calls.filter((c) => c.result !== undefined && fits(c, part)).length
    const orphans = this.counts.get(`orphan ${key}`) ?? 0
    if (count <= answered + orphans) return false
    if (!this.calls.some((c) => c.result === undefined && fits(c, part))) this.counts.set(`orphan ${key}`, orphans + 1)
    return true
  }
}

function fits(call: ToldCall, result: Extract<Part, { type: 'result' }>): boolean {
  if (result.id !== undefined && !call.id.startsWith(NO_ID)) return call.id === result.id
  return result.name === undefined || result.name === call.name
}

function keyOf(message: Message, part: Part): string {
  if (part.type === 'call')
    return part.id === undefined ? `call ${part.name} ${JSON.stringify(part.input)}` : `call ${part.id}`
  if (part.type === 'image') return `image ${part.path}`
  if (part.type === 'result') return `result ${part.id ?? part.name ?? ''}`
  return `${message.role} ${part.text.trim()}`
}
