import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Trace } from '../../core/words.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { atif } from './atif.ts'
import {
  type Conversation,
  conversationFromTrace,
  type Message,
  type Part,
  stepsFromConversation,
  traceFromConversation,
} from './conversation.ts'
import type { At } from './format.ts'
import { openaiChat } from './openai-chat.ts'
import { otlp } from './otlp.ts'
import { testAt } from './samples.testing.ts'

const user = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }] })
const assistant = (...parts: Part[]): Message => ({ role: 'assistant', parts })
const tool = (...parts: Part[]): Message => ({ role: 'tool', parts })
const text = (said: string): Part => ({ type: 'text', text: said })
const call = (name: string, id?: string): Part => ({ type: 'call', name, input: {}, ...(id !== undefined && { id }) })
const result = (output: string, id?: string, name?: string): Part => ({
  type: 'result',
  output,
  ...(id !== undefined && { id }),
  ...(name !== undefined && { name }),
})

function listening(): At & { oddities: string[] } {
  const oddities: string[] = []
  return { ...testAt(), oddities, odd: (name) => oddities.push(name) }
}

const observations = (messages: Message[]): (string | undefined)[] =>
  stepsFromConversation({ messages }, testAt()).steps.flatMap((s) => (s.action ? [s.observation] : []))

describe('steps of a conversation', () => {
  it('are thoughts, actions with their own observation, turns of others, and the answer', () => {
    const { problem, steps, answer } = stepsFromConversation(
      {
        messages: [
          { role: 'system', parts: [text('be brief')] },
          user('weather?'),
          assistant({ type: 'reasoning', text: 'hm' }, text('I look'), call('get', 'a'), call('get', 'b')),
          tool(result('rain', 'b')),
          tool(result('sun', 'a')),
          user('and?'),
          assistant(text('sun and rain')),
          user('thanks'),
        ],
      },
      testAt(),
    )
    expect(problem.prompt).toBe('weather?')
    expect(problem.context).toEqual([{ kind: 'documents', documents: [{ id: 'system', text: 'be brief' }] }])
    expect(steps.map((s) => [s.kind, s.observation ?? s.text, s.origin])).toEqual([
      ['thought', 'hm', '2.0 reasoning'],
      ['thought', 'I look', '2.1'],
      ['action', 'sun', '2.2'],
      ['action', 'rain', '2.3'],
      ['observation', 'and?', '5.0'],
      ['answer', 'sun and rain', '6.0'],
      ['observation', 'thanks', '7.0'],
    ])
    expect(answer).toBe('sun and rain')
  })

  it('has no answer where the last thing done is a call', () => {
    const { answer, steps } = stepsFromConversation(
      { messages: [assistant(text('I look'), call('get', 'a'))] },
      testAt(),
    )
    expect(answer).toBeUndefined()
    expect(steps.map((s) => s.kind)).toEqual(['thought', 'action'])
  })

  it('pairs an id that is used again with the nearest call before it', () => {
    const turns = ['one', 'two'].flatMap((said) => [assistant(call('get', 'same')), tool(result(said, 'same'))])
    expect(observations(turns)).toEqual(['one', 'two'])
  })

  it('pairs by name and order only where the result has no id', () => {
    const calls = assistant(call('f'), call('g'), call('f'))
    const told = [result('1', undefined, 'f'), result('2', undefined, 'g'), result('3', undefined, 'f')]
    expect(observations([calls, tool(...told)])).toEqual(['1', '2', '3'])
    expect(observations([assistant(call('f', 'a')), tool(result('stray', 'b'))])).toEqual([undefined])
  })

  it('counts calls and results that are alone, and keeps the result', () => {
    const at = listening()
    const { steps, failed } = stepsFromConversation(
      {
        messages: [
          user('q'),
          tool(result('stray', 'x')),
          assistant(call('f', 'a'), call('g', 'b')),
          tool({ type: 'result', output: 'bad', id: 'b', isError: true }),
        ],
      },
      at,
    )
    expect(at.oddities.sort()).toEqual(['call without result', 'result without call'])
    expect(steps.map((s) => s.observation ?? s.text)).toEqual(['stray', 'f({})', 'bad'])
    expect(failed).toEqual([2])
  })
})

const said = fc.string({ minLength: 1, maxLength: 12 })
const turn = fc.record({
  before: fc.option(said, { nil: undefined }),
  thinking: fc.option(said, { nil: undefined }),
  calls: fc.array(
    fc.record({ name: fc.constantFrom('f', 'g'), answered: fc.boolean(), output: said, failed: fc.boolean() }),
    {
      maxLength: 3,
    },
  ),
  after: fc.option(said, { nil: undefined }),
})

/** Conversations in the order in which every chat format has them. */
const conversations = fc
  .record({ prompt: said, turns: fc.array(turn, { maxLength: 5 }) })
  .map(({ prompt, turns }): Conversation => {
    const messages: Message[] = [user(prompt)]
    turns.forEach((t, i) => {
      const parts: Part[] = []
      if (t.thinking !== undefined) parts.push({ type: 'reasoning', text: t.thinking })
      if (t.before !== undefined) parts.push(text(t.before))
      t.calls.forEach((c, j) => {
        parts.push({ type: 'call', name: c.name, input: { i: j }, id: `${i}-${j}` })
      })
      if (parts.length > 0) messages.push(assistant(...parts))
      t.calls.forEach((c, j) => {
        if (!c.answered) return
        const told: Part = { type: 'result', output: c.output, id: `${i}-${j}`, name: c.name }
        messages.push(tool(c.failed ? { ...told, isError: true } : told))
      })
      if (t.after !== undefined) messages.push(user(t.after))
    })
    return { messages }
  })

describe.each([openaiChat, anthropicMessages, atif, otlp])('a conversation written as $name', (format) => {
  it('is read back with every text and every pairing', () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        const trace = traceFromConversation(conversation, { id: 't', generator: '', dataset: 'test' }, testAt())
        const records = format.write?.([trace]) ?? []
        const [again] = format.read(format.unit === 'document' ? records : records[0], testAt())
        const held = (t: Trace | undefined): unknown => [
          t?.problem.prompt,
          t?.answer,
          t?.steps.map(({ origin, ...step }) => ({ ...step, reasoning: / reasoning$/.test(String(origin)) })),
        ]
        expect(held(again)).toEqual(held(trace))
      }),
    )
  })
})

describe('a conversation written from its trace', () => {
  it('keeps every text and every pairing', () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        const trace = traceFromConversation(conversation, { id: 't', generator: '', dataset: 'test' }, testAt())
        expect(conversationFromTrace(trace)).toEqual(conversation)
      }),
    )
  })
})
