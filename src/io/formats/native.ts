import { Trace } from '../../core/words.ts'
import { type Format, hasFields, parseRecord, share } from './format.ts'

/** The words of Gradus themselves, one trace a line. */
export const native: Format = {
  name: 'gradus',
  summary: 'native traces: steps, evidence, labels and verdict',
  container: 'jsonl',
  unit: 'record',
  detect: (sample) => share(sample, (r) => hasFields(r, 'id', 'problem', 'steps', 'source')),
  read: (record, at) => [parseRecord(Trace, record, at)],
  write: (traces) => [...traces],
}
