import { GradusError } from '../../core/errors.ts'
import type { Problem } from '../../core/words.ts'
import { place } from '../formats/format.ts'
import { commaRecords } from './delimited.ts'
import { hasHeader, lineId, type ProblemAt, type ProblemFormat, textOf } from './problem-format.ts'

const HEADER = 'Question,Numbers,Equation,Answer,group_nums,Body,Ques_Statement'

/** MAWPS as prepared for SVAMP: `number0` in a question stands for the first of its numbers. */
export const mawps: ProblemFormat = {
  name: 'mawps',
  summary: 'word problems with the equation that solves them',
  home: 'https://github.com/arkilpatel/SVAMP',
  licence: 'MIT',
  detect: (sample) => (hasHeader(sample, HEADER) ? 1 : 0),
  read: (record, at) => commaRecords(textOf(record, at)).flatMap((row, i) => problem(row, i + 1, at)),
}

function problem(row: Record<string, string>, number: number, at: ProblemAt): Problem[] {
  const numbers = (row['Numbers'] ?? '').split(' ').map(plain)
  let missing = false
  const fill = (text: string): string =>
    text.replace(/\bnumber(\d+)\b/g, (_, i: string) => {
      const found = numbers[Number(i)]
      if (found === undefined) missing = true
      return found ?? ''
    })
  const prompt = fill(row['Question'] ?? '')
  const equation = fill(row['Equation'] ?? '')
  const answer = plain(row['Answer'] ?? '')
  if (!missing && prompt !== '' && answer !== '') {
    return [{ id: lineId('mawps', at, number), prompt, answer, solution: [equation], domain: 'mawps' }]
  }
  const expected = 'a question, an answer and every number that they name'
  at.reject(new GradusError('GRD-IO-006', { where: place({ ...at, line: number + 1 }), found: prompt, expected }))
  return []
}

/** `56.0` -> `56` */
const plain = (number: string): string => number.replace(/^(-?\d+)\.0+$/, '$1')
