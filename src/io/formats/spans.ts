import { anyText } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import { type Message, traceFromConversation } from './conversation.ts'
import type { At } from './format.ts'
import { readSpan, richest, richestAnswer, type Said, type Span } from './span.ts'
import { isEvaluator, readEvaluations, readOutcome } from './spans-labels.ts'
import { Story } from './spans-story.ts'
import { totalUsage } from './usage.ts'

/**
 * One trace for each trace id that tells of a model call or a tool run; other spans (HTTP, queues) are noise.
 *
 * A model call often appears as several nested spans: usage is taken from the innermost that has one, the messages from
 * the one of them that tells most. Inputs repeat the history, so that only what is new in them is added; a tool's
 * result is what the model was told, or else the output of the tool's span.
 */
export function tracesFromSpans(spans: readonly Span[], dataset: string, at: At): Trace[] {
  const byTrace = Map.groupBy(spans, (span) => span.trace)
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
  const runs = nodes.filter((n) => n.kind === 'tool' && !isEvaluation(n))
  if (calls.length === 0 && runs.length === 0) return undefined

  const story = new Story()
  const events = [...calls.map((c) => ({ call: c, node: c.node })), ...runs.map((node) => ({ call: undefined, node }))]
  events.sort((a, b) => a.node.span.start - b.node.span.start)
  for (const { call, node } of events) {
    const agent = agentOf(node)
    if (node.tool) story.addRun(node.tool, node.span.failed, node.span.id, agent)
    else if (call) {
      story.addInputs(story.empty && call.inputs.length === 0 ? inherited(node) : call.inputs)
      story.addOutputs(call.outputs, node.span.id, agent)
    }
  }
  const head = {
    id,
    generator: calls.map((c) => c.model).find((m) => m !== undefined) ?? '',
    dataset,
    usage: totalUsage(calls.map((c) => c.usage)) ?? agentUsage(nodes, calls.length),
    outcome: readOutcome(spans),
  }
  const tools = calls.find((c) => c.node.tools.length > 0)?.node.tools
  const trace = traceFromConversation({ messages: story.messages(), ...(tools && { tools }) }, head, at)
  story.restoreIds(trace.steps)
  return { ...trace, ...readEvaluations(spans.filter(isEvaluator), trace, at) }
}

/** The sum that an agent's span states, where its calls state none. */
function agentUsage(nodes: readonly Node[], calls: number): Usage | undefined {
  const agent = nodes.find((n) => n.usage !== undefined && !isEvaluation(n))
  if (!agent?.usage) return undefined
  return agent.span.attributes['gradus.calls'] === undefined ? { ...agent.usage, calls } : agent.usage
}

function tree(spans: readonly Span[], at: At): Node[] {
  const nodes = spans.map((span): Node => ({ ...readSpan(span, at), span, children: [] }))
  const byId = new Map(nodes.map((node) => [node.span.id, node]))
  for (const node of nodes) {
    const parent = node.span.parent === undefined ? undefined : byId.get(node.span.parent)
    if (!parent || isAbove(node, parent)) continue
    node.parent = parent
    parent.children.push(node)
  }
  return nodes
}

/** Is the span the other one or one of its ancestors? Damaged files have parents in a circle. */
function isAbove(node: Node, other: Node): boolean {
  for (let up: Node | undefined = other; up; up = up.parent) if (up === node) return true
  return false
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
  for (const node of candidates) if (isEvaluation(node)) candidates.delete(node)
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
    const call = {
      node,
      inputs: richest(told.map((n) => n.inputs)),
      outputs: richestAnswer(told.map((n) => n.outputs)),
    }
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
  const name = anyText(node.span.attributes['ai.operationId'] ?? '')
  if (name === '' || /\.do[A-Z]/.test(name)) return false
  return nodes.some((n) => anyText(n.span.attributes['ai.operationId'] ?? '').startsWith(`${name}.do`))
}

function isEvaluation(node: Node): boolean {
  for (let up: Node | undefined = node; up; up = up.parent) if (isEvaluator(up.span)) return true
  return false
}

function inherited(node: Node): Message[] {
  for (let up = node.parent; up; up = up.parent) if (up.inputs.length > 0) return up.inputs
  return []
}

function agentOf(node: Node): string | undefined {
  for (let up: Node | undefined = node; up; up = up.parent) if (up.agent !== undefined) return up.agent
  return undefined
}
