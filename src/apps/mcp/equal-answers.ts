import { z } from 'zod'
import { LIMITS } from '../../core/limits.ts'
import { equal } from '../../worlds/answers/equal.ts'
import { tool } from './tool.ts'

/** Models write a number where it is one. */
const answer = z.union([z.string().max(LIMITS.answerChars), z.number()])

export const equalAnswers = tool({
  name: 'equal_answers',
  title: 'Do two answers say the same?',
  description:
    'Do two written answers say the same? LaTeX or plain text, numbers, units, sets, intervals, formulas, choices. "equal" and "different" are said only where shown; else "unknown".',
  input: z.strictObject({
    a: answer.describe('LaTeX or plain text; a marked final answer (\\boxed, ####) is found in a longer text'),
    b: answer,
    tolerance: z.number().min(0).default(0).describe('relative distance within which numbers count as equal'),
  }),
  output: z.object({
    verdict: z.enum(['equal', 'different', 'unknown']),
    reason: z.string(),
    method: z.string().describe('what decided'),
  }),
  asksModels: false,
  run({ a, b, tolerance }) {
    const data = equal(String(a), String(b), { tolerance })
    return { data: { ...data }, text: `${data.verdict}: ${data.reason}` }
  },
})
