import type { Usage } from '../../core/words.ts'
import { Fault } from '../../engine/fault.ts'
import type { Completion, Price, TokenLogprob } from './endpoint.ts'
import { EventParser } from './sse.ts'
import { isRecord, readFinish, readLogprobs, readUsage, throwIfError, tryParse } from './wire.ts'

interface Draft {
  text: string
  reasoning: string
  finish: Completion['finish'] | null
  tokens: TokenLogprob[]
  logprobsBroken: boolean
  calls: Map<number, { id: string; name: string; input: string }>
}

export interface StreamResult {
  /** Choices that reached their end, in order of the endpoint. */
  completions: Completion[]
  usage: Partial<Usage>
  /** Why others did not. */
  fault?: Fault
}

/**
 * Puts a streamed answer together. A stream that breaks keeps the choices that had ended; the others are not shown as
 * if they were whole, but count into what was paid.
 * @throws the signal's reason, when `chunks` does
 */
export async function readStream(
  chunks: AsyncIterable<Uint8Array>,
  options: { promptChars: number; wantsLogprobs: boolean; price?: Price; hide: (text: string) => string },
  signal: AbortSignal,
): Promise<StreamResult> {
  const drafts = new Map<number, Draft>()
  const parser = new EventParser()
  let usage: unknown
  let fault: Fault | undefined
  let seen = 0
  try {
    reading: for await (const chunk of chunks) {
      for (const { data } of parser.push(chunk)) {
        if (data === '[DONE]') break reading
        seen++
        const event = tryParse(options.hide(data))
        if (!isRecord(event))
          throw new Fault('GRD-CALL-007', { found: data.slice(0, 200), expected: 'JSON in each event' })
        throwIfError(event)
        if (isRecord(event['usage'])) usage = event['usage']
        if (!Array.isArray(event['choices'])) continue
        for (const choice of event['choices']) if (isRecord(choice)) add(drafts, choice)
      }
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error
    fault = error
  }
  const inOrder = [...drafts.entries()].sort(([a], [b]) => a - b).map(([, draft]) => draft)
  const completions = inOrder
    .filter((draft) => draft.finish !== null)
    .map((draft) => finished(draft, options.wantsLogprobs))
  const texts = inOrder.map((draft) => draft.text + draft.reasoning)
  if (!fault && seen === 0) fault = new Fault('GRD-CALL-007', { found: 'no event', expected: 'server-sent events' })
  if (!fault && completions.length < drafts.size) {
    fault = new Fault('GRD-CALL-006', { found: `${drafts.size - completions.length} choices without an end` })
  }
  const result = { completions, usage: readUsage(usage, options.promptChars, texts, options.price) }
  return fault ? { ...result, fault } : result
}

function add(drafts: Map<number, Draft>, choice: Record<string, unknown>): void {
  const index = typeof choice['index'] === 'number' ? choice['index'] : 0
  let draft = drafts.get(index)
  if (!draft) {
    draft = { text: '', reasoning: '', finish: null, tokens: [], logprobsBroken: false, calls: new Map() }
    drafts.set(index, draft)
  }
  const delta = isRecord(choice['delta']) ? choice['delta'] : {}
  const text = delta['content'] ?? choice['text']
  if (typeof text === 'string') draft.text += text
  const reasoning = delta['reasoning_content'] ?? delta['reasoning']
  if (typeof reasoning === 'string') draft.reasoning += reasoning
  if (Array.isArray(delta['tool_calls'])) for (const call of delta['tool_calls']) addCall(draft, call)
  if (choice['logprobs'] !== undefined && choice['logprobs'] !== null) {
    const tokens = readLogprobs(choice['logprobs'])
    if (tokens) draft.tokens.push(...tokens)
    else draft.logprobsBroken = true
  }
  if (choice['finish_reason'] !== undefined && choice['finish_reason'] !== null) {
    draft.finish = readFinish(choice['finish_reason'])
  }
}

/** Name and id come once, the input in pieces. */
function addCall(draft: Draft, call: unknown): void {
  if (!isRecord(call)) return
  const index = typeof call['index'] === 'number' ? call['index'] : 0
  const held = draft.calls.get(index) ?? { id: `call-${index}`, name: '', input: '' }
  const made = isRecord(call['function']) ? call['function'] : {}
  if (typeof call['id'] === 'string' && call['id'] !== '') held.id = call['id']
  if (typeof made['name'] === 'string') held.name += made['name']
  if (typeof made['arguments'] === 'string') held.input += made['arguments']
  draft.calls.set(index, held)
}

function finished(draft: Draft, wantsLogprobs: boolean): Completion {
  const completion: Completion = { text: draft.text, finish: draft.finish ?? 'other' }
  if (draft.reasoning !== '') completion.reasoning = draft.reasoning
  if (draft.calls.size > 0)
    completion.toolCalls = [...draft.calls.entries()].sort(([a], [b]) => a - b).map(([, call]) => call)
  if (wantsLogprobs) {
    if (draft.logprobsBroken || (draft.tokens.length === 0 && draft.text !== '')) completion.faults = ['logprobs']
    else completion.tokens = draft.tokens
  }
  return completion
}
