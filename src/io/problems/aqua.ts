import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import { lineId, type ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({
  question: z.string(),
  options: z.array(z.string()).min(2),
  rationale: z.string(),
  correct: z.string().regex(/^[A-E]$/, 'a letter from A to E'),
})

/** AQuA-RAT: five options each; the answer is a letter. */
export const aqua: ProblemFormat = {
  name: 'aqua',
  summary: 'multiple-choice algebra with rationales',
  home: 'https://github.com/google-deepmind/AQuA',
  licence: 'Apache-2.0',
  detect: (sample) => share(sample, (r) => hasFields(r, 'question', 'options', 'rationale', 'correct')),
  read(record, at) {
    const { question, options, rationale, correct } = parseRecord(Row, record, at)
    return [
      {
        id: lineId('aqua', at),
        prompt: [question, ...options].join('\n'),
        question,
        answer: correct,
        solution: rationale.split('\n').filter((line) => line.trim() !== ''),
        domain: 'aqua',
      },
    ]
  },
}
