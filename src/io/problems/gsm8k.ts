import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { hasFields, parseRecord, place, share } from '../formats/format.ts'
import { lineId, type ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({ question: z.string(), answer: z.string() })

/** GSM8K: the solution ends with `#### answer`; its calculator marks `<<...>>` are no text. */
export const gsm8k: ProblemFormat = {
  name: 'gsm8k',
  summary: 'grade-school word problems with worked solutions',
  home: 'https://github.com/openai/grade-school-math',
  licence: 'MIT',
  detect: (sample) => share(sample, (r) => hasFields(r, 'question', 'answer') && marked(r)),
  read(record, at) {
    const { question, answer } = parseRecord(Row, record, at)
    const [solution = '', final, ...more] = answer.split('\n#### ')
    if (final === undefined || more.length > 0) {
      throw new GradusError('GRD-IO-006', {
        where: place(at, 'answer'),
        found: answer.slice(-80),
        expected: 'a solution that ends with #### and the answer',
      })
    }
    const steps = solution.replace(/<<[^<>]*>>/g, '').split('\n')
    return [
      {
        id: lineId('gsm8k', at),
        prompt: question,
        answer: final.trim(),
        solution: steps.filter((step) => step.trim() !== ''),
        domain: 'gsm8k',
      },
    ]
  },
}

const marked = (record: unknown): boolean => Row.safeParse(record).data?.answer.includes('\n#### ') ?? false
