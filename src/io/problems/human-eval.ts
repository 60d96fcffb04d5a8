import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Row = z.looseObject({
  task_id: z.string(),
  prompt: z.string(),
  entry_point: z.string().regex(/^[A-Za-z_]\w*$/, 'the name of a function'),
  canonical_solution: z.string(),
  test: z.string(),
})

/** HumanEval: the head of a Python function is given. The tests call `check` on the function of that name. */
export const humanEval: ProblemFormat = {
  name: 'human-eval',
  summary: 'Python functions to complete, with unit tests',
  home: 'https://github.com/openai/human-eval',
  licence: 'MIT',
  detect: (sample) =>
    share(sample, (r) => hasFields(r, 'task_id', 'prompt', 'entry_point', 'canonical_solution', 'test')),
  read(record, at) {
    const row = parseRecord(Row, record, at)
    return [
      {
        id: row.task_id,
        prompt: row.prompt,
        solution: [row.prompt + row.canonical_solution],
        context: [{ kind: 'tests', language: 'python', code: `${row.test.trim()}\n\ncheck(${row.entry_point})` }],
        domain: 'human-eval',
      },
    ]
  },
}
