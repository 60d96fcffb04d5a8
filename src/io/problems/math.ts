import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({
  problem: z.string(),
  solution: z.string(),
  answer: z.string(),
  subject: z.string(),
  unique_id: z.string(),
})

/** MATH in the shape of the 500 test problems that were chosen for PRM800K. */
export const math: ProblemFormat = {
  name: 'math500',
  summary: 'competition problems with solutions and final answers in LaTeX',
  home: 'https://github.com/openai/prm800k',
  licence: 'MIT',
  detect: (sample) => share(sample, (r) => hasFields(r, 'problem', 'solution', 'answer', 'subject', 'unique_id')),
  read(record, at) {
    const { problem, solution, answer, subject, unique_id: id } = parseRecord(Row, record, at)
    return [{ id: `math/${id.replace(/\.json$/, '')}`, prompt: problem, answer, solution: [solution], domain: subject }]
  },
}
