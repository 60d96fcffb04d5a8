import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step, Trace } from '../../core/words.ts'
import { processorSeconds } from '../../testing/processor-time.ts'
import { cellsOf, fences } from './code-cells.ts'

const trace = (...steps: (string | Step)[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt: '' },
  steps: steps.map((s) => (typeof s === 'string' ? { text: s, kind: 'thought' } : s)),
  source: { generator: '', dataset: '', licence: '' },
})
const seen = (t: Trace, unnamed = false) =>
  cellsOf(t, 'python', unnamed).map((c) => [c.step, c.code, c.output && [c.output.step, c.output.text]])

describe('cellsOf', () => {
  it('reads fenced blocks with what the text says that they print', () => {
    expect(seen(trace('Run:\n```python\nprint(1)\n```\nOutput: 1\nso it is'))).toEqual([[0, 'print(1)\n', [0, '1']]])
    expect(seen(trace('```py\nprint(1)\n```\n**Output:**\n```\n1\n```'))).toEqual([[0, 'print(1)\n', [0, '1\n']]])
    expect(seen(trace('```python\nprint(1)\n```\n```output\n1\n```'))).toEqual([[0, 'print(1)\n', [0, '1\n']]])
    expect(seen(trace('```python\nprint(1)\n```\nThe output is nice.\n```\nx\n```'))).toEqual([[0, 'print(1)\n', null]])
  })

  it('reads interpreter calls with their observation, in the step or after it', () => {
    const call: Step = { text: '', kind: 'action', action: { tool: 'python', input: { code: 'print(2)' } } }
    expect(seen(trace({ ...call, observation: '2' }))).toEqual([[0, 'print(2)', [0, '2']]])
    expect(seen(trace(call, { text: '2', kind: 'observation' }))).toEqual([[0, 'print(2)', [1, '2']]])
    expect(seen(trace({ ...call, action: { tool: 'search', input: 'print(2)' } }))).toEqual([])
  })

  it('takes unnamed blocks only when told, and never an announced output', () => {
    const text = '```\nx = 1\nprint(x)\n```\nOutput:\n```\n1\n```'
    expect(seen(trace(text))).toEqual([])
    expect(seen(trace(text), true)).toEqual([[0, 'x = 1\nprint(x)\n', [0, '1\n']]])
  })

  it('gives back every block of a text', () => {
    const body = fc.string().filter((s) => !s.includes('`') && !s.includes('\n'))
    fc.assert(
      fc.property(fc.array(fc.array(body, { minLength: 1 })), (blocks) => {
        const text = blocks.map((lines) => `before\n\`\`\`python\n${lines.join('\n')}\n\`\`\``).join('\n')
        expect(fences(text).map((f) => f.body)).toEqual(blocks.map((lines) => `${lines.join('\n')}\n`))
      }),
    )
  })

  it('stays linear on a text full of blocks that never close', () => {
    const open = '```python\n'.repeat(200_000)
    expect(processorSeconds(() => expect(fences(open)).toEqual([]))).toBeLessThan(2)
  })
})
