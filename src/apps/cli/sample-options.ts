import { z } from 'zod'
import { SAMPLED_FORMS } from '../pipeline/open-policy.ts'
import { MANY_FLAGS } from './many-flags.ts'
import { POLICY_FLAGS } from './policy-flags.ts'

export const SAMPLE_OPTIONS = z.object({
  policy: z.string().default('embedded').describe(`who writes: ${SAMPLED_FORMS}`),
  task: z.string().optional().describe('problems of a built-in task instead of a file: name[:level], levels from 0'),
  problems: z.number().int().positive().optional().describe('problems at most: 100 of a task, all of a file'),
  samples: z.number().int().positive().default(1).describe('traces of each problem'),
  output: z.string().default('-').describe('native traces, one a line; .gz and .parquet by name'),
  format: z.string().optional().describe('format of the problems where detection is wrong'),
  ...POLICY_FLAGS,
  ...MANY_FLAGS,
  code: z.boolean().default(true).describe('do not run code of traces against tests'),
  dryRun: z.boolean().default(false).describe('say what would be sent where, and stop'),
  json: z.boolean().default(false).describe('the summary as one JSON object'),
})
export type SampleOptions = z.output<typeof SAMPLE_OPTIONS>
