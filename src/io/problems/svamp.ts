import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({
  ID: z.string(),
  Body: z.string(),
  Question: z.string(),
  Equation: z.string(),
  Answer: z.union([z.number(), z.string()]),
})

/** SVAMP: a story and a question about it. */
export const svamp: ProblemFormat = {
  name: 'svamp',
  summary: 'one-step word problems, varied to catch shortcuts',
  home: 'https://github.com/arkilpatel/SVAMP',
  licence: 'MIT',
  detect: (sample) => share(sample, (r) => hasFields(r, 'ID', 'Body', 'Question', 'Equation', 'Answer')),
  read(record, at) {
    const { ID, Body, Question, Equation, Answer } = parseRecord(Row, record, at)
    const body = Body.trim()
    return [
      {
        id: `svamp/${ID}`,
        prompt: `${body}${/[.!?,]$/.test(body) ? '' : '.'} ${Question.trim()}`,
        answer: String(Answer),
        solution: [Equation.trim()],
        domain: 'svamp',
      },
    ]
  },
}
