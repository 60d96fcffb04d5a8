import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import { lineId, type ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({
  _id: z.string().exactOptional(),
  question: z.string(),
  answer: z.string(),
  type: z.enum(['comparison', 'bridge']),
  /** Ten paragraphs, two of which hold the answer: title and sentences. */
  context: z.array(z.tuple([z.string(), z.array(z.string())])).exactOptional(),
})

/** HotpotQA, whole (paragraphs come as documents) or only questions and answers. */
export const hotpotqa: ProblemFormat = {
  name: 'hotpotqa',
  summary: 'questions that take two look-ups in Wikipedia',
  home: 'https://hotpotqa.github.io',
  licence: 'CC-BY-SA-4.0',
  detect: (sample) =>
    share(sample, (r) => hasFields(r, 'question', 'answer', 'type') && Row.pick({ type: true }).safeParse(r).success),
  read(record, at) {
    const { _id: id, question, answer, context } = parseRecord(Row, record, at)
    const documents = (context ?? []).map(([title, sentences]) => ({ id: title, text: sentences.join('') }))
    return [
      {
        id: id === undefined ? lineId('hotpotqa', at) : `hotpotqa/${id}`,
        prompt: question,
        answer,
        ...(documents.length > 0 && { context: [{ kind: 'documents' as const, documents }] }),
        domain: 'hotpotqa',
      },
    ]
  },
}
