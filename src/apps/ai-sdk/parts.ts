import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import type { Step, Trace } from '../../core/words.ts'
import { aiSdkMessages } from '../../io/formats/ai-sdk.ts'
import { paragraphs, type StepFormat } from '../../models/policies/step-format.ts'

/** The conversation of a call as a trace, with what the model has just said as its last steps. */
export function traceOfCall(
  { prompt, tools = [] }: Pick<LanguageModelV4CallOptions, 'prompt' | 'tools'>,
  content: readonly LanguageModelV4Content[] = [],
): Trace {
  const said = content.flatMap((part): unknown[] => {
    if (part.type === 'text' || part.type === 'reasoning') return [{ type: part.type, text: part.text }]
    if (part.type !== 'tool-call') return []
    const { toolCallId, toolName, input } = part
    return [{ type: 'tool-call', toolCallId, toolName, input: parsed(input) }]
  })
  const messages = said.length > 0 ? [...prompt, { role: 'assistant', content: said }] : [...prompt]
  const [trace] = aiSdkMessages.read({ messages }, { file: '', stem: 'call', line: 1, odd: () => {}, reject: () => {} })
  if (!trace) throw new TypeError('a call without messages')
  const offered = tools.flatMap((tool) =>
    tool.type === 'function' ? [{ name: tool.name, parameters: tool.inputSchema as unknown }] : [],
  )
  if (offered.length === 0) return trace
  const context = [...(trace.problem.context ?? []), { kind: 'tools' as const, tools: offered }]
  return { ...trace, problem: { ...trace.problem, context } }
}

/** What a model wrote, in steps: those of its text, and each tool call. */
export function stepsOf(content: readonly LanguageModelV4Content[], format: StepFormat = paragraphs): Step[] {
  return content.flatMap((part): Step[] => {
    if (part.type === 'text') return format.split(part.text).map((text) => ({ text, kind: 'thought' }))
    if (part.type !== 'tool-call') return []
    const { toolName, toolCallId, input } = part
    const action = { tool: toolName, input: parsed(input), id: toolCallId }
    return [{ text: `${toolName} ${input}`, kind: 'action', action }]
  })
}

function parsed(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}

/** Text of the turns of a prompt; null where a part is no text, such as an image or a tool call. */
export function turnsOf(
  prompt: LanguageModelV4Prompt,
): { role: 'system' | 'user' | 'assistant'; content: string }[] | null {
  const turns: { role: 'system' | 'user' | 'assistant'; content: string }[] = []
  for (const message of prompt) {
    if (message.role === 'tool') return null
    if (message.role === 'system') {
      turns.push({ role: message.role, content: message.content })
      continue
    }
    const texts: string[] = []
    for (const part of message.content) {
      if (part.type !== 'text') return null
      texts.push(part.text)
    }
    turns.push({ role: message.role, content: texts.join('\n') })
  }
  return turns
}

type Side = Record<string, number | undefined>

/** What several calls used; a part that none of them counts stays unknown. */
export function addUsages(usages: readonly LanguageModelV4Usage[]): LanguageModelV4Usage {
  const sum = <S extends Side>(sides: readonly S[]): S => {
    const names = new Set(sides.flatMap((side) => Object.keys(side)))
    const total = (name: string): number | undefined => {
      const known = sides.flatMap((side) => side[name] ?? [])
      return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0)
    }
    return Object.fromEntries([...names].map((name) => [name, total(name)])) as S
  }
  return { inputTokens: sum(usages.map((u) => u.inputTokens)), outputTokens: sum(usages.map((u) => u.outputTokens)) }
}

/** A finished answer as a stream: each part in one piece. */
export function streamOf(result: LanguageModelV4GenerateResult): LanguageModelV4StreamResult {
  const parts: LanguageModelV4StreamPart[] = [{ type: 'stream-start', warnings: result.warnings }]
  if (result.response) {
    const { headers: _, body: __, ...metadata } = result.response
    parts.push({ type: 'response-metadata', ...metadata })
  }
  for (const [i, part] of result.content.entries()) {
    if (part.type !== 'text' && part.type !== 'reasoning') {
      parts.push(part)
      continue
    }
    const id = String(i)
    parts.push(
      { type: `${part.type}-start`, id },
      { type: `${part.type}-delta`, id, delta: part.text },
      { type: `${part.type}-end`, id },
    )
  }
  const { usage, finishReason, providerMetadata } = result
  parts.push({ type: 'finish', usage, finishReason, ...(providerMetadata && { providerMetadata }) })
  const stream = new ReadableStream<LanguageModelV4StreamPart>({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
  return { stream }
}
