import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({ id: z.string(), code: z.string(), input: z.string(), output: z.string() })

/** CRUXEval, output prediction: what does the function return? The answer is a Python literal. */
export const cruxeval: ProblemFormat = {
  name: 'cruxeval',
  summary: 'what a short Python function returns',
  home: 'https://github.com/facebookresearch/cruxeval',
  licence: 'MIT',
  detect: (sample) => share(sample, (r) => hasFields(r, 'id', 'code', 'input', 'output')),
  read(record, at) {
    const { id, code, input, output } = parseRecord(Row, record, at)
    const prompt = `${code}\n\nWhat does f(${input}) return? Answer with a Python literal.`
    return [{ id: `cruxeval/${id}`, prompt, question: `${code}\n${input}`, answer: output, domain: 'cruxeval' }]
  },
}
