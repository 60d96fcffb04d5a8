import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step, Trace } from '../../core/words.ts'
import { readTraces } from '../read.ts'
import { traceWriter } from '../write.ts'
import { plainText } from './plain-text.ts'
import { testAt } from './samples.testing.ts'

const read = (text: string): Trace => {
  const [trace] = plainText.read(text, testAt())
  if (!trace) throw new Error('no trace')
  return trace
}
const texts = (text: string): string[] => read(text).steps.map((s) => s.text)

describe('plain-text', () => {
  it('splits at "Step k" headings in the usual dressings', () => {
    const text =
      'Problem: 1 + 2 + 3?\n\n**Step 1:** 1 + 2 = 3\nso far\n\n### Step 2. 3 + 3 = 6\n\nstep 3 - done\nAnswer: 6\n'
    expect(texts(text)).toEqual(['1 + 2 = 3\nso far', '3 + 3 = 6', 'done', '6'])
    expect(read(text)).toMatchObject({
      answer: '6',
      problem: { prompt: '1 + 2 + 3?' },
      steps: [{}, {}, {}, { kind: 'answer' }],
    })
  })

  it('splits at lines numbered from 1, and not at numbers in a text', () => {
    expect(texts('What is it?\n1. first\n2) second\n   and more\n3. third')).toEqual([
      'first',
      'second\n and more',
      'third',
    ])
    expect(read('What is it?\n1. first\n2. second').problem.prompt).toBe('What is it?')
    expect(texts('He was born in\n1. Then\n\n7. of May')).toEqual(['He was born in\n1. Then', '7. of May'])
  })

  it('splits at empty lines otherwise', () => {
    const trace = read('Question: why?\n\nBecause\nof this.\n\n\nSo the answer is 42.')
    expect(trace.steps.map((s) => s.text)).toEqual(['Because\nof this.', 'So the answer is 42.'])
    expect(trace).toMatchObject({ answer: '42', problem: { prompt: 'why?' } })
  })

  it.each([
    ['so \\boxed{\\frac{1}{2}} it is', '\\frac{1}{2}'],
    ['so\n#### 18', '18'],
    ['nothing', undefined],
  ])('takes the answer from the last step: %s', (text, answer) => {
    expect(read(text).answer).toBe(answer)
  })

  it('parts traces at lines of dashes', () => {
    const traces = plainText.read('Step 1: a\n---\nStep 1: b\nStep 2: c\n', testAt())
    expect(traces.map((t) => [t.id, t.steps.length])).toEqual([
      ['test-1', 1],
      ['test-2', 2],
    ])
  })

  it('writes what it reads back, whatever the text looks like', () => {
    const line = fc.oneof(
      fc.constantFrom('Step 2: x', '1. x', '---', 'Answer: 3', 'Problem: p', '  indented', '', '\\boxed{1}', '#### 2'),
      fc.string({ maxLength: 12 }).map((s) => s.replace(/[\r\n]/g, '')),
    )
    const text = fc
      .array(line, { minLength: 1, maxLength: 4 })
      .map((lines) => lines.join('\n').trim())
      .filter((t) => t !== '')
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1, maxLength: 4 }), text, (prompt, thoughts, answer) => {
        const steps = thoughts.map((t, i): Step => ({ text: t, kind: 'thought', origin: i }))
        steps.push({ text: answer, kind: 'answer', origin: steps.length })
        const source = { generator: '', dataset: '', licence: 'unknown' }
        const [written] = plainText.write?.([{ id: 't', problem: { id: 'p', prompt }, steps, source }]) ?? []
        const again = read(String(written))
        expect(again.steps).toEqual(steps)
        expect(again.answer).toBe(answer)
        expect(again.problem.prompt).toBe(prompt)
      }),
    )
  })

  it('keeps traces apart that are written in several batches', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradus-text-'))
    const path = join(folder, 'out.txt')
    const writer = await traceWriter(path, plainText)
    for (const n of [1, 2, 3]) await writer.write([read(`Problem: q${n}\nStep 1: a${n}\nAnswer: ${n}`)])
    await writer.close()
    const { traces } = await readTraces(path)
    expect(traces.map((t) => [t.problem.prompt, t.answer])).toEqual([
      ['q1', '1'],
      ['q2', '2'],
      ['q3', '3'],
    ])
    rmSync(folder, { recursive: true })
  })

  it('does not write tool calls', () => {
    const step: Step = { text: 'f()', kind: 'action', action: { tool: 'f', input: {} } }
    const trace: Trace = {
      id: 't',
      problem: { id: 'p', prompt: '' },
      steps: [step],
      source: { generator: '', dataset: '', licence: '' },
    }
    expect(() => plainText.write?.([trace])).toThrow(expect.objectContaining({ code: 'GRD-IO-011' }))
  })
})
