import { z } from 'zod'
import { hasFields, parseRecord, share } from '../formats/format.ts'
import type { ProblemFormat } from './problem-format.ts'

const Tests = z.array(z.string()).min(1)
const Row = z.looseObject({ task_id: z.number().int() })
/** As published, and as InterCode keeps it. */
const Published = Row.extend({ text: z.string(), code: z.string(), test_list: Tests, test_setup_code: z.string() })
const InterCode = Row.extend({ query: z.string(), gold: z.string(), tests: Tests, test_setup_code: z.string() })

/**
 * MBPP: Python functions described in a sentence. The name that the tests call is not in the sentence, so the first
 * test is shown with it, as in the published prompts.
 */
export const mbpp: ProblemFormat = {
  name: 'mbpp',
  summary: 'basic Python functions with three asserts each',
  home: 'https://github.com/google-research/google-research/tree/master/mbpp',
  licence: 'CC-BY-4.0',
  detect: (sample) =>
    share(
      sample,
      (r) => hasFields(r, 'task_id', 'test_setup_code') && (hasFields(r, 'tests') || hasFields(r, 'test_list')),
    ),
  read(record, at) {
    const { task_id, text, code, tests, setup } = hasFields(record, 'query')
      ? fromInterCode(parseRecord(InterCode, record, at))
      : fromPublished(parseRecord(Published, record, at))
    return [
      {
        id: `mbpp/${task_id}`,
        prompt: `${text}\nThe function must pass this test:\n${tests[0]}`,
        question: text,
        solution: [code.replaceAll('\r\n', '\n')],
        context: [{ kind: 'tests', language: 'python', code: [...setup, ...tests].join('\n') }],
        domain: 'mbpp',
      },
    ]
  },
}

const lines = (code: string): string[] => (code === '' ? [] : [code])

function fromInterCode({ task_id, query, gold, tests, test_setup_code }: z.output<typeof InterCode>) {
  return { task_id, text: query, code: gold, tests, setup: lines(test_setup_code) }
}

function fromPublished({ task_id, text, code, test_list, test_setup_code }: z.output<typeof Published>) {
  return { task_id, text, code, tests: test_list, setup: lines(test_setup_code) }
}
