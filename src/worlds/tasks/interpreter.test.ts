import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FUEL, parseProgram, trace } from './interpreter.ts'

const run = (text: string) => {
  const program = parseProgram(text)
  if (!program) throw new Error('not a program')
  const { machines, ended } = trace(program)
  return { output: machines.at(-1)?.output, steps: machines.length, ended, lines: machines.map((m) => m.at + 1) }
}

describe('interpreter', () => {
  it('runs loops and branches line by line', () => {
    expect(run('1 x=5\n2 while x>2\n3  y=y+x\n4  x=x-1\n5 print y')).toEqual({
      output: [12],
      steps: 12,
      ended: true,
      lines: [2, 3, 4, 2, 3, 4, 2, 3, 4, 2, 5, 6],
    })
    const branch = (x: number) =>
      `1 x=${x}\n2 if x<3\n3  print 1\n4 else\n5  if x==3\n6   print 2\n7  else\n8   print 3\n9 print x`
    expect([2, 3, 4].map((x) => run(branch(x)).output)).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ])
  })

  it('keeps or forgets variables at a new cell', () => {
    const text = '1 x=5\n2 cell\n3 x=x+1\n4 print x'
    expect([text, `state kept\n${text}`, `state reset\n${text}`].map((t) => run(t).output)).toEqual([[6], [6], [1]])
  })

  it('stops an endless loop when its fuel is used up', () => {
    expect(run('1 x=1\n2 while x>0\n3  x=x+1\n4 print x')).toMatchObject({ steps: FUEL, ended: false, output: [] })
  })

  it('remainders are never negative', () => {
    expect(run('1 x=1-9\n2 x=x%5\n3 print x').output).toEqual([2])
  })

  it('refuses what is no program', () => {
    const wrong = [
      '',
      'x=1',
      '1 x=1\n3 y=2',
      '1 while x>0',
      '1 x=1\n2  y=2',
      '1 else\n2  x=1',
      '1 x=y%z',
      '1 x=1%0',
      '1 if x>1\n2  cell',
    ]
    expect(wrong.map(parseProgram)).toEqual(wrong.map(() => null))
  })

  it('never throws, whatever the text', () => {
    const line = fc.constantFrom(
      'x=1',
      'while x<3',
      ' x=x+1',
      ' print x',
      'if x>1',
      'else',
      'cell',
      ' if x==2',
      '  y=x',
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const program = parseProgram(lines.map((text, i) => `${i + 1} ${text}`).join('\n'))
        if (program) expect(trace(program).machines.length).toBeLessThanOrEqual(FUEL)
      }),
    )
  })
})
