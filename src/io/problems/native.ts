import { Problem } from '../../core/words.ts'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

/** The words of Gradus themselves, one problem a line. */
export const native: ProblemFormat = {
  name: 'gradus',
  summary: 'native problems: id, prompt, answer, context',
  licence: 'unknown',
  detect: (sample) => share(sample, (r) => hasFields(r, 'id', 'prompt') && !hasFields(r, 'steps')),
  read: (record, at) => [parseRecord(Problem, record, at)],
}
