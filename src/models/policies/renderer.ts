import type { Problem, Step } from '../../core/words.ts'
import type { ChatRequest, Message, TextRequest, ToolSpec } from '../endpoints/endpoint.ts'
import type { StepFormat } from './step-format.ts'

export type Rendered =
  | ({ api: 'chat' } & Pick<ChatRequest, 'messages' | 'continueLast' | 'tools'>)
  | ({ api: 'completions' } & Pick<TextRequest, 'prompt'>)

/** Turns a problem and the steps so far into what a model reads. */
export interface Renderer {
  name: string
  /** Name and settings; JSON. */
  identity: unknown
  render(problem: Problem, steps: readonly Step[], format: StepFormat): Rendered
}

/** Asks for steps in the common form of math benchmarks: final answer in a box. */
const SYSTEM = 'Reason step by step. Put an empty line between steps. End with the final answer in \\boxed{}.'
const GO_ON = 'Go on from here with the next step. Do not repeat what is written.'

export interface ChatOptions {
  system?: string
  /**
   * How a begun solution is shown. `continue`: as the assistant's unfinished message (vLLM, SGLang); `ask`: as its
   * finished message and a request to go on, which every chat model understands.
   */
  begun?: 'continue' | 'ask'
}

/** Chat messages; tool calls and observations of an agent become the messages that they were. */
export function chatRenderer({ system = SYSTEM, begun = 'ask' }: ChatOptions = {}): Renderer {
  return {
    name: 'chat',
    identity: { name: 'chat', system, begun },
    render(problem, steps, format) {
      const messages: Message[] = []
      if (system !== '') messages.push({ role: 'system', content: system })
      messages.push({ role: 'user', content: promptOf(problem) })
      let texts: string[] = []
      const say = (): void => {
        if (texts.length > 0) messages.push({ role: 'assistant', content: format.join(texts) })
        texts = []
      }
      for (const [at, step] of steps.entries()) {
        if (!step.action) {
          texts.push(step.text)
          continue
        }
        say()
        const id = step.action.id ?? `call-${at}`
        const input =
          typeof step.action.input === 'string' ? step.action.input : JSON.stringify(step.action.input ?? {})
        messages.push({ role: 'assistant', content: step.text, toolCalls: [{ id, name: step.action.tool, input }] })
        messages.push({ role: 'tool', content: step.observation ?? '', toolCallId: id })
      }
      say()
      const tools = toolsOf(problem)
      const rendered: Rendered = { api: 'chat', messages, ...(tools.length > 0 && { tools }) }
      if (messages.at(-1)?.role !== 'assistant') return rendered
      if (begun === 'continue') return { ...rendered, continueLast: true }
      messages.push({ role: 'user', content: GO_ON })
      return rendered
    },
  }
}

/**
 * Plain text for base models and models trained on one format: template with `{prompt}`, then the steps so far.
 * @param template what stands before the first step, e.g. `Question: {prompt}\nAnswer:\n`
 */
export function textRenderer(template = '{prompt}\n'): Renderer {
  return {
    name: 'text',
    identity: { name: 'text', template },
    render: (problem, steps, format) => ({
      api: 'completions',
      // As a function: `$&` in a prompt is text.
      prompt: template.replace('{prompt}', () => promptOf(problem)) + format.join(steps.map(textOf)),
    }),
  }
}

function textOf(step: Step): string {
  return step.observation === undefined ? step.text : `${step.text} -> ${step.observation}`
}

/** The question with the context that can be written down, in the order of the problem. */
export function promptOf(problem: Problem): string {
  const parts = (problem.context ?? []).flatMap((context): string[] => {
    if (context.kind === 'documents') return context.documents.map(({ id, text }) => `[${id}]\n${text}`)
    if (context.kind === 'table') {
      return [[context.name, ...[context.header, ...context.rows].map((row) => row.join(' | '))].join('\n')]
    }
    if (context.kind === 'graph') return [context.triples.map((triple) => triple.join(' -- ')).join('\n')]
    return []
  })
  return [...parts, problem.prompt].join('\n\n')
}

function toolsOf(problem: Problem): ToolSpec[] {
  return (problem.context ?? []).flatMap((context) =>
    context.kind === 'tools'
      ? context.tools.map(({ name, description, parameters }) => ({
          name,
          ...(description !== undefined && { description }),
          ...(parameters !== undefined && { parameters }),
        }))
      : [],
  )
}
