import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Problem, Step } from '../../core/words.ts'
import { Engine } from '../../engine/engine.ts'
import { rollout, rollouts } from '../../engine/rollout.ts'
import type { ServerScript } from '../../engine/testing/openai-server.ts'
import { startTestServer } from '../../engine/testing/openai-server.ts'
import { TASKS } from '../../worlds/tasks/index.ts'
import { openAiCompatible } from '../endpoints/openai-compatible.ts'
import { samplerOf } from '../endpoints/sampler.ts'
import { modelPolicy } from './policy.ts'
import { chatRenderer, textRenderer } from './renderer.ts'
import { lines, paragraphs, STEP_FORMATS } from './step-format.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})
async function setUp(script: ServerScript) {
  const server = await startTestServer(script)
  open.push(server)
  const engine = new Engine()
  open.push(engine)
  const endpoint = openAiCompatible({ url: server.url, model: 'test' })
  return { server, engine, sampler: samplerOf(endpoint, 8) }
}
const problem: Problem = { id: 'p', prompt: 'What is 2 + 2?' }
const thought = (text: string): Step => ({ text, kind: 'thought' })

describe('model policy', () => {
  it('solves a built-in task over HTTP from any prefix, step by step and in one go, with the same result', async () => {
    const task = TASKS[0]
    if (!task) throw new Error('no task')
    const problems = task.generate('policy-test', 0, 20)
    const solutions = new Map(problems.map((p) => [p.prompt, p.solution ?? []]))
    // The "model" knows the solutions: it writes the rest of the text that it is shown.
    const { engine, sampler, server } = await setUp({
      text: (body) => {
        const shown = String(body['prompt'])
        const found = [...solutions].find(([prompt]) => shown.startsWith(`${prompt}\n`))
        return found ? lines.join(found[1]).slice(shown.length - found[0].length - 1) : 'lost'
      },
    })
    const policy = modelPolicy({ name: 'oracle', engine, sampler, renderer: textRenderer(), format: lines })
    for (const p of problems) {
      const solution = (p.solution ?? []).map(thought)
      for (const kept of [0, 1]) {
        for (const stepwise of [false, true]) {
          const prefix = solution.slice(0, kept)
          const done = await rollout({ problem: p, policy, prefix, verifier: task, stepwise })
          expect(done.ok && done.trace.steps).toEqual(solution)
          expect(done.ok && done.trace.outcome).toBe(1)
        }
      }
    }
    const sent = server.requests
    await rollout({ problem: problems[0] ?? problem, policy, verifier: task })
    expect(server.requests).toBe(sent)
  })

  it('asks for several samples in one call, and each has its own number', async () => {
    const { engine, sampler, server } = await setUp({ text: (_, choice) => `first\n\nanswer ${choice}` })
    const policy = modelPolicy({ name: 'm', engine, sampler, renderer: chatRenderer(), format: paragraphs })
    const done = await rollouts({ problem, policy }, { from: 0, count: 8 })
    expect(done.map((r) => r.ok && [r.trace.id, r.trace.steps.at(-1)?.text])).toEqual(
      [...Array(8).keys()].map((i) => [`p#${i}`, `answer ${i}`]),
    )
    expect(server.requests).toBe(1)
  })

  it('writes one step only when one is asked for, even if the model goes on', async () => {
    const { engine, sampler } = await setUp({ text: () => 'one\n\ntwo', lacks: ['stop'] })
    const policy = modelPolicy({ name: 'm', engine, sampler, renderer: chatRenderer(), format: paragraphs })
    expect(await policy.next(problem, [], 0)).toMatchObject({ steps: [thought('one')], end: 'step' })
    expect(await policy.complete(problem, [], 0)).toMatchObject({
      steps: [thought('one'), thought('two')],
      end: 'stop',
    })
  })

  it('turns tool calls into actions, and failures into errors that are data', async () => {
    const message = { content: 'I look.', tool_calls: [{ id: 'c', function: { name: 'find', arguments: '{"q":1}' } }] }
    const { engine, sampler, server } = await setUp({
      behave: () => ({ kind: 'change', change: () => ({ choices: [{ message, finish_reason: 'tool_calls' }] }) }),
    })
    const policy = modelPolicy({ name: 'm', engine, sampler, renderer: chatRenderer(), format: paragraphs })
    expect(await policy.next(problem, [], 0)).toMatchObject({
      steps: [{ text: 'I look.', kind: 'action', action: { tool: 'find', input: { q: 1 }, id: 'c' } }],
      end: 'step',
    })
    server.script = { behave: () => ({ kind: 'status', status: 400 }) }
    expect(await policy.next(problem, [], 1)).toMatchObject({ ok: false, error: { code: 'GRD-CALL-010' } })
  })

  it('has an identity that changes with everything that decides the text', async () => {
    const { engine, sampler } = await setUp({})
    const base = { name: 'm', engine, sampler, renderer: chatRenderer(), format: paragraphs }
    const hashes = [
      base,
      { ...base, renderer: chatRenderer({ system: 'x' }) },
      { ...base, renderer: textRenderer() },
      { ...base, format: lines },
      { ...base, sampling: { temperature: 0.5 } },
      { ...base, sampler: { ...sampler, identity: 'other' } },
    ].map((options) => modelPolicy(options).hash)
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(modelPolicy({ ...base, name: 'renamed' }).hash).toBe(hashes[0])
  })
})

describe('renderers', () => {
  it('show an agent run as the messages that it was', () => {
    const context: Problem['context'] = [
      { kind: 'documents', documents: [{ id: 'd', text: 'Doc.' }] },
      { kind: 'tools', tools: [{ name: 'find' }] },
    ]
    const steps: Step[] = [
      thought('a'),
      thought('b'),
      { text: 'look', kind: 'action', action: { tool: 'find', input: { q: 1 }, id: 'x' }, observation: 'seen' },
    ]
    expect(chatRenderer({ system: '' }).render({ ...problem, context }, steps, paragraphs)).toEqual({
      api: 'chat',
      messages: [
        { role: 'user', content: '[d]\nDoc.\n\nWhat is 2 + 2?' },
        { role: 'assistant', content: 'a\n\nb\n\n' },
        { role: 'assistant', content: 'look', toolCalls: [{ id: 'x', name: 'find', input: '{"q":1}' }] },
        { role: 'tool', content: 'seen', toolCallId: 'x' },
      ],
      tools: [{ name: 'find' }],
    })
  })

  it('let a begun solution go on in either way', () => {
    const begun = (how: 'ask' | 'continue') =>
      chatRenderer({ system: '', begun: how }).render(problem, [thought('a')], lines)
    expect(begun('continue')).toMatchObject({
      continueLast: true,
      messages: [{}, { role: 'assistant', content: 'a\n' }],
    })
    expect(begun('ask')).toMatchObject({ messages: [{}, { role: 'assistant' }, { role: 'user' }] })
    expect(begun('ask')).not.toHaveProperty('continueLast')
  })

  it('take dollar signs in a prompt as text', () => {
    const rendered = textRenderer('Q: {prompt}\n').render({ id: 'p', prompt: 'costs $& or $1' }, [thought('a')], lines)
    expect(rendered).toEqual({ api: 'completions', prompt: 'Q: costs $& or $1\na\n' })
  })
})

describe('step formats', () => {
  it('give joined steps back', () => {
    const step = fc
      .string({ minLength: 1 })
      .map((s) => s.replace(/\s+/g, ' ').trim())
      .filter((s) => s !== '')
    fc.assert(
      fc.property(fc.constantFrom(...STEP_FORMATS), fc.array(step), (format, steps) => {
        expect(format.split(format.join(steps))).toEqual(steps)
      }),
    )
  })
})
