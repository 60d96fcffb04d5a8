import type { Step } from '../../core/words.ts'
import type { Message, Part, Result } from './conversation.ts'
import type { ToolRun } from './span.ts'

interface ToldCall {
  /** Its own; ids of the source may be missing or used again. */
  id: string
  sourceId: string | undefined
  name: string
  input: string
  result?: Result
  run?: Result
}

/** The conversation that inputs, outputs and tool runs tell together, each thing once. */
export class Story {
  private readonly system: Message[] = []
  private readonly told: Message[] = []
  /** How often a text or a call was told. */
  private readonly counts = new Map<string, number>()
  private readonly calls: ToldCall[] = []
  private readonly bySourceId = new Map<string, ToldCall[]>()

  get empty(): boolean {
    return this.told.length === 0
  }

  /**
   * What a model was given: the history again, so that only what is told more often than before is new. System text that
   * opens it is an agent's instructions, later one is a turn.
   */
  addInputs(messages: readonly Message[]): void {
    const here = new Map<string, number>()
    let opened = false
    for (const message of messages) {
      opened ||= message.role !== 'system'
      const fresh = message.parts.filter((part) => {
        const key = keyOf(message, part)
        const count = (here.get(key) ?? 0) + 1
        here.set(key, count)
        if (part.type === 'result' && this.answer(part, count)) return false
        if (count <= (this.counts.get(key) ?? 0)) return false
        this.counts.set(key, count)
        return true
      })
      if (fresh.length > 0) this.push(message, fresh, opened ? this.told : this.system)
    }
  }

  /** What a model answered: always new. */
  addOutputs(messages: readonly Message[], span: string, agent: string | undefined): void {
    messages.forEach((message, i) => {
      const fresh = message.parts.filter((part) => {
        const key = keyOf(message, part)
        this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
        return part.type !== 'result' || !this.answer(part, this.counts.get(key) ?? 1)
      })
      const named = message.agent ?? agent
      const origin = i === 0 ? span : `${span}-${i}`
      if (fresh.length > 0) this.push({ ...message, origin, ...(named !== undefined && { agent: named }) }, fresh)
    })
  }

  /** A tool's own span: its output counts where no model was told a result; a run that no model asked for is a step. */
  addRun(tool: ToolRun, failed: boolean, span: string, agent: string | undefined): void {
    const input = JSON.stringify(tool.input)
    const open = (c: ToldCall): boolean => c.run === undefined && c.name === tool.name
    const same = tool.id === undefined ? undefined : this.bySourceId.get(tool.id)?.find((c) => c.run === undefined)
    let call = same ?? this.calls.find((c) => open(c) && c.input === input) ?? this.calls.find(open)
    if (!call) {
      const asked: Part = {
        type: 'call',
        name: tool.name,
        input: tool.input,
        ...(tool.id !== undefined && { id: tool.id }),
      }
      this.push({ role: 'assistant', parts: [], origin: span, ...(agent !== undefined && { agent }) }, [asked])
      call = this.calls.at(-1)
    }
    if (!call || tool.output === undefined) return
    call.run = { type: 'result', id: call.id, output: tool.output, ...(failed && { isError: true }) }
  }

  messages(): Message[] {
    const results = this.calls.flatMap(({ result, run }) => {
      if (result && run?.isError) return { ...result, isError: true }
      return result ?? run ?? []
    })
    const outcome: Message[] = results.length > 0 ? [{ role: 'tool', parts: results }] : []
    return [...this.system, ...this.told, ...outcome]
  }

  /** Puts the source's ids back into the steps that were made of `messages`. */
  restoreIds(steps: readonly Step[]): void {
    const sources = new Map(this.calls.map((c) => [c.id, c.sourceId]))
    for (const { action } of steps) {
      if (action?.id === undefined) continue
      const source = sources.get(action.id)
      if (source === undefined) delete action.id
      else action.id = source
    }
  }

  private push(message: Message, parts: readonly Part[], list = this.told): void {
    const kept = parts.map((part): Part => {
      if (part.type !== 'call') return part
      const told: ToldCall = {
        id: `call ${this.calls.length}`,
        sourceId: part.id,
        name: part.name,
        input: JSON.stringify(part.input),
      }
      this.calls.push(told)
      const same = part.id === undefined ? undefined : this.bySourceId.get(part.id)
      if (same) same.push(told)
      else if (part.id !== undefined) this.bySourceId.set(part.id, [told])
      return { ...part, id: told.id }
    })
    list.push({ ...message, parts: kept })
  }

  /** Gives a result to its call; false where there is none. The n-th result of an id belongs to its n-th call. */
  private answer(part: Result, n: number): boolean {
    const fitting = this.fitting(part)
    const nth = fitting[n - 1]
    // a history may be cut, then the n-th call was answered with something else before
    const call = nth?.result === undefined || nth.result.output === part.output ? nth : fitting.find((c) => !c.result)
    if (call) call.result ??= { ...part, id: call.id }
    return fitting.length >= n || call !== undefined
  }

  private fitting(part: Result): ToldCall[] {
    const same = part.id === undefined ? undefined : this.bySourceId.get(part.id)
    if (same) return same
    return this.calls.filter(
      (c) => (part.id === undefined || c.sourceId === undefined) && (part.name === undefined || part.name === c.name),
    )
  }
}

function keyOf(message: Message, part: Part): string {
  if (part.type === 'call') return `call ${part.id ?? `${part.name} ${JSON.stringify(part.input)}`}`
  if (part.type === 'image') return `image ${part.path}`
  if (part.type === 'result') return `result ${part.id ?? part.name ?? ''}`
  return `${message.role} ${part.text.trim()}`
}
