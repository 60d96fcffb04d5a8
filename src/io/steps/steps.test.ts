import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataFile, noData } from '../../testing/data.ts'
import { readTraces } from '../read.ts'
import { SPLITTERS } from './index.ts'
import { resplit, splitterNamed } from './resplit.ts'

const split = async (name: string, text: string): Promise<string[]> =>
  (await splitterNamed(name).split(text)).map((p) => p.trim())

/** Texts in which separators of all kinds meet. */
const piece = fc.constantFrom(
  '\n',
  '\n\n',
  ' ',
  'Step 1: ',
  'Step 2. ',
  '1. ',
  '2) ',
  'So x = 2. ',
  'Dr. No',
  '$a.b$',
  '\\[ x \\]',
  '$5 ',
  '```py\n',
  '```\n',
  'def f():\n  return 1\n',
  '# c\n',
  'Thought: ',
  '<tool_call>',
  '\\begin{align}\n',
  '\\end{align}',
  'é',
  '😀',
  '\r\n',
)
const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 8 })), { maxLength: 20 }).map((p) => p.join(''))

describe('every splitter', () => {
  it.each(SPLITTERS.map((s) => [s.name, s] as const))(
    '%s: pieces join to the text, none is empty',
    async (_, splitter) => {
      await fc.assert(
        fc.asyncProperty(text, async (t) => {
          const pieces = await splitter.split(t)
          expect(pieces.join('')).toBe(t)
          expect(pieces.every((p) => p !== '')).toBe(true)
          if (t.trim() !== '') expect(pieces.every((p) => p.trim() !== '')).toBe(true)
        }),
        { numRuns: splitter.name === 'code-statement' ? 60 : 200 },
      )
    },
  )
})

describe('where a step ends', () => {
  it('numbered: headings first, else lines that count up; other numbers are text', async () => {
    expect(await split('numbered', 'Plan.\nStep 1: add\n2. is a price\nStep 2: done')).toEqual([
      'Plan.',
      'Step 1: add\n2. is a price',
      'Step 2: done',
    ])
    expect(await split('numbered', '1. first\n2. second\n7. not a step\n3) third')).toEqual([
      '1. first',
      '2. second\n7. not a step',
      '3) third',
    ])
    expect(await split('numbered', '**Step 1**\na\n### Step 2\nb')).toEqual(['**Step 1**\na', '### Step 2\nb'])
    expect(await split('numbered', 'In 1. place')).toEqual(['In 1. place'])
  })

  it('paragraph: blank lines, but not those inside code or display mathematics', async () => {
    expect(await split('paragraph', 'a\n\nb\nc\n \n\nd')).toEqual(['a', 'b\nc', 'd'])
    expect(await split('paragraph', 'see\n```py\nx = 1\n\ny = 2\n```\n\nend')).toEqual([
      'see\n```py\nx = 1\n\ny = 2\n```',
      'end',
    ])
    expect(await split('paragraph', '\\[ a\n\nb \\]\n\nend')).toEqual(['\\[ a\n\nb \\]', 'end'])
  })

  it('sentence: neither decimals, abbreviations, initials, list numbers nor formulas end one', async () => {
    expect(await split('sentence', 'It is 3.5 km, i.e. far. Dr. Lee agrees! Is $f(x). g$ right? Yes.')).toEqual([
      'It is 3.5 km, i.e. far.',
      'Dr. Lee agrees!',
      'Is $f(x). g$ right?',
      'Yes.',
    ])
    expect(await split('sentence', '1. Add them. 2. Done.')).toEqual(['1. Add them.', '2. Done.'])
    expect(await split('sentence', 'It costs $5. She pays $7. Fine.')).toEqual([
      'It costs $5.',
      'She pays $7.',
      'Fine.',
    ])
  })

  it('latex: long paragraphs at sentences, an environment never', async () => {
    const environment = '\\begin{align}\na &= b. \\\\\n\nc &= d. E.\n\\end{align}'
    expect(await split('latex', `Intro.\n\n${environment}\n\nEnd.`)).toEqual(['Intro.', environment, 'End.'])
    const long = Array.from({ length: 20 }, (_, i) => `Sentence number ${i} says something about it.`).join(' ')
    expect(await split('latex', long)).toHaveLength(20)
  })

  it('code-statement: statements of the language, comments with what follows', async () => {
    expect(
      await split('code-statement', 'import math\n# area\ndef area(r):\n    return math.pi * r\n\nprint(area(2))\n'),
    ).toEqual(['import math', '# area\ndef area(r):\n    return math.pi * r', 'print(area(2))'])
    expect(await split('code-statement', 'const a = 1\nfunction f() {\n  return a\n}\nf()')).toEqual([
      'const a = 1',
      'function f() {\n  return a\n}',
      'f()',
    ])
    expect(await split('code-statement', 'First:\n```python\nx = 1\ny = 2\n```\nthen stop')).toEqual([
      'First:',
      '```python\nx = 1',
      'y = 2\n```',
      'then stop',
    ])
    expect(await split('code-statement', 'This is no code at all, is it?')).toEqual(['This is no code at all, is it?'])
  })

  it('message: turns of ReAct and chat logs, tags of tool calls', async () => {
    expect(await split('message', 'Thought 1: look\nAction 1: search[x]\nObservation 1: y\nThought 2: done')).toEqual([
      'Thought 1: look',
      'Action 1: search[x]',
      'Observation 1: y',
      'Thought 2: done',
    ])
    expect(await split('message', 'I search. <tool_call>{"q":1}</tool_call> <tool_response>a</tool_response>')).toEqual(
      ['I search.', '<tool_call>{"q":1}</tool_call>', '<tool_response>a</tool_response>'],
    )
  })
})

describe('cutting the steps of a trace', () => {
  const trace = {
    id: 't',
    problem: { id: 'p', prompt: 'p' },
    steps: [
      { text: 'One. Two.', kind: 'thought' as const },
      { text: '', kind: 'action' as const, action: { tool: 'f', input: 'a. b.' } },
    ],
    source: { generator: '', dataset: '', licence: '' },
  }

  it('cuts thoughts and leaves actions', async () => {
    const { steps } = await resplit(trace, splitterNamed('sentence'))
    expect(steps.map((s) => [s.text, s.kind, s.origin])).toEqual([
      ['One. ', 'thought', 0],
      ['Two.', 'thought', 0],
      ['', 'action', undefined],
    ])
  })

  it('refuses where labels would no longer fit', async () => {
    await expect(
      resplit({ ...trace, labels: [{ meaning: 'first-error', value: 0, source: 'x' }] }, splitterNamed('line')),
    ).rejects.toThrow('GRD-IO-003')
    expect(() => splitterNamed('nonsense')).toThrow('GRD-LABEL-001')
  })
})

describe.skipIf(noData('processbench'))('on real solutions (needs the public data)', () => {
  it('paragraphs of a joined ProcessBench solution are its steps again, but for steps that hold blank lines', async () => {
    const { traces } = await readTraces(dataFile('processbench', 'gsm8k.json.gz'))
    let same = 0
    let able = 0
    for (const t of traces) {
      const texts = t.steps.map((s) => s.text)
      if (texts.some((s) => /\n\s*\n/.test(s) || s.trim() !== s || s === '')) continue
      able++
      if ((await split('paragraph', texts.join('\n\n'))).join('\u0000') === texts.join('\u0000')) same++
    }
    expect(able).toBeGreaterThan(150)
    expect(same / able).toBeGreaterThan(0.98)
  })
})
