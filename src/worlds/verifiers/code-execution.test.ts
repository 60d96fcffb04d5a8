import { describe, expect, it } from 'vitest'
import type { Step, Trace } from '../../core/words.ts'
import { probeLevels } from '../sandbox/index.ts'
import { javascriptExecution } from './javascript-execution.ts'
import { pythonExecution } from './python-execution.ts'
import type { Verifier } from './verifier.ts'

const levels = await probeLevels()
const isolated = levels.some((l) => l.available && l.isolating && l.languages.includes('python'))
const unless = isolated ? '' : ' (no isolating level runs Python on this machine)'

function trace(
  language: 'python' | 'javascript',
  cells: (string | [code: string, output: string])[],
  tests?: string,
): Trace {
  const steps = cells.map((cell): Step => {
    const [code, output] = typeof cell === 'string' ? [cell, undefined] : cell
    return {
      text: '',
      kind: 'action',
      action: { tool: language, input: code },
      ...(output !== undefined && { observation: output }),
    }
  })
  const problem = {
    id: 'p',
    prompt: '',
    ...(tests !== undefined && { context: [{ kind: 'tests' as const, language, code: tests }] }),
  }
  return { id: 't', problem, steps, source: { generator: '', dataset: '', licence: '' } }
}

async function verdicts(verifier: Verifier, t: Trace, context = { allowCode: true, allowLocalExec: false }) {
  return (await verifier.verify(t, context)).map((f) => `${f.verdict}: ${f.reason}`)
}

describe.skipIf(!isolated)(`python-execution${unless}`, () => {
  const py = (...args: Parameters<typeof trace> extends [unknown, ...infer R] ? R : never) =>
    verdicts(pythonExecution, trace('python', ...args))

  it('keeps state from step to step and compares what is stated', async () => {
    expect(await py(['x = 20', ['print(x + 1)', '21\n'], ['x * 2', '40'], ['print(x)', '21']])).toEqual([
      'unknown: the code runs without error; no output or test to compare with',
      'correct: the stated output is what the code prints',
      'correct: the stated output is what the code prints',
      'incorrect: the stated output is not what the code prints: "21" instead of "20"',
    ])
  })

  it('finds the failing cell and says nothing after it', async () => {
    expect(await py([['print(1)', '1'], 'undefined_name + 1', ['print(2)', '3']])).toEqual([
      'correct: the stated output is what the code prints',
      "incorrect: the code fails: NameError: name 'undefined_name' is not defined",
      'cannot say: the code comes after a cell that failed'.replace(/^/, 'unknown: '),
    ])
    expect(await py(['def f(:'])).toEqual(['incorrect: the code fails: SyntaxError: invalid syntax'])
  })

  it('abstains where the jail or chance is to blame', async () => {
    const [module, file, network, loop] = await Promise.all([
      py(['import no_such_module_here']),
      py(['open("data.csv")']),
      py(['import urllib.request; urllib.request.urlopen("http://example.org")']),
      py(['while True: pass']),
    ])
    for (const found of [module, file, network, loop]) expect(found?.[0]).toMatch(/^unknown: cannot say/)
    expect(await py([['import random; print(random.random())', '0.5']])).toEqual([
      'unknown: the output differs, but the program uses time, randomness or identities',
    ])
    expect(await py([['print({"b", "a", "c"})', "{'c', 'b', 'a'}"]])).toEqual([expect.stringMatching(/^unknown/)])
  })

  it('runs the tests of the problem after the last cell', async () => {
    const tests = 'assert add(2, 3) == 5, "2 + 3"'
    expect(await py(['def add(a, b): return a + b'], tests)).toEqual(['correct: the final code passes the tests'])
    expect(await py(['def add(a, b): return a - b'], tests)).toEqual([
      'incorrect: the final code fails the tests: AssertionError: 2 + 3',
    ])
  })

  it('does not take an early exit for success', async () => {
    const tests = 'assert add(2, 3) == 5'
    for (const exit of ['raise SystemExit(0)', 'import os; os._exit(0)', 'import sys; sys.exit()']) {
      const [found] = await py([`def add(a, b):\n    ${exit}`], tests)
      expect(found).not.toMatch(/^correct/)
    }
  })

  it('stores the level that applied, and runs nothing unless code may run', async () => {
    const t = trace('python', [['print(1)', '1']])
    const [finding] = await pythonExecution.verify(t, { allowCode: true, allowLocalExec: false })
    expect(levels.find((l) => l.name === finding?.level)).toMatchObject({ isolating: true })
    expect(await verdicts(pythonExecution, t, { allowCode: false, allowLocalExec: true })).toEqual([
      'unknown: code may not run here',
    ])
  })
})

describe('javascript-execution', () => {
  const js = (...args: Parameters<typeof trace> extends [unknown, ...infer R] ? R : never) =>
    verdicts(javascriptExecution, trace('javascript', ...args))

  it('keeps state from step to step and compares what is stated', async () => {
    expect(await js(['const x = 20', ['console.log(x + 1)', '21'], ['console.log(x)', '21'], 'y + 1'])).toEqual([
      'unknown: the code runs without error; no output or test to compare with',
      'correct: the stated output is what the code prints',
      'incorrect: the stated output is not what the code prints: "21" instead of "20"',
      "incorrect: the code fails: ReferenceError: 'y' is not defined",
    ])
  })

  it('abstains on what only a host has, and on printed objects', async () => {
    for (const code of ['require("fs")', 'setTimeout(() => 1, 5)', 'import fs from "fs"', 'document.title']) {
      expect((await js([code]))[0]).toMatch(/^unknown: cannot say/)
    }
    expect(await js([['console.log(new Map([[1, 2]]))', 'Map(1) { 1 => 2 }']])).toEqual([
      'unknown: every engine prints objects in its own way',
    ])
  })

  it('runs the tests of the problem', async () => {
    const tests = 'if (add(2, 3) !== 5) throw new Error("2 + 3")'
    expect(await js(['const add = (a, b) => a + b'], tests)).toEqual(['correct: the final code passes the tests'])
    expect(await js(['const add = (a, b) => a - b'], tests)).toEqual([
      'incorrect: the final code fails the tests: Error: 2 + 3',
    ])
  })
})
