import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({ qid: z.string(), question: z.string(), answer: z.boolean() })

/** StrategyQA: the answer is `yes` or `no`. */
export const strategyqa: ProblemFormat = {
  name: 'strategyqa',
  summary: 'yes/no questions whose look-ups are not named',
  home: 'https://allenai.org/data/strategyqa',
  licence: 'MIT',
  detect: (sample) => share(sample, (r) => hasFields(r, 'qid', 'term', 'description', 'question', 'answer')),
  read(record, at) {
    const { qid, question, answer } = parseRecord(Row, record, at)
    return [{ id: `strategyqa/${qid}`, prompt: question, answer: answer ? 'yes' : 'no', domain: 'strategyqa' }]
  },
}
