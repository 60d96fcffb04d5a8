import { z } from 'zod'
import { GradusError } from '../../core/errors.ts'
import { SHARD_FORMATS } from '../../engine/distributed/job.ts'

/** Options of every verb whose work can be done on many machines. */
export const MANY_FLAGS = {
  engine: z
    .enum(['local', 'postgres', 'pglite'])
    .default('local')
    .describe('this process; shards for `gradus worker` on any machine; or the same in this process without a server'),
  databaseUrl: z
    .string()
    .optional()
    .describe('postgres://... or, for pglite, a folder (.gradus/pglite); GRADUS_DATABASE_URL where not given'),
  results: z
    .string()
    .optional()
    .describe('folder that all workers reach, or s3://bucket/prefix; .gradus/results for pglite'),
  shard: z.number().int().positive().optional().describe('items of a shard: 500 where not given'),
  shardFormat: z
    .enum(SHARD_FORMATS)
    .optional()
    .describe('of the results in the store: jsonl where not given; equal after reading'),
  priority: z.number().int().optional().describe('of the job among others, higher ones first'),
  rate: z.number().positive().optional().describe('calls a second at most, by all workers together'),
} as const

const flags = z.object(MANY_FLAGS)
export type ManyFlags = z.output<typeof flags>

/** @throws GradusError GRD-CLI-002 for flags that this engine would not look at, or that it lacks */
export function checkManyFlags(options: ManyFlags): void {
  const refuse = (field: string, found: string, expected: string): never => {
    throw new GradusError('GRD-CLI-002', { where: { field }, found, expected })
  }
  if (options.engine === 'local') {
    for (const name of ['databaseUrl', 'results', 'shard', 'shardFormat', 'priority', 'rate'] as const) {
      if (options[name] === undefined) continue
      refuse(
        `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
        '--engine local',
        '--engine postgres or pglite',
      )
    }
  }
  if (options.engine !== 'postgres') return
  if (options.results === undefined)
    refuse('--results', 'nothing', 'a folder that all workers reach, or s3://bucket/prefix')
  if (!/^postgres(ql)?:/.test(databaseUrlOf(options) ?? '')) {
    refuse('--database-url', databaseUrlOf(options) ?? 'nothing', 'postgres://user:password@host/database')
  }
}

/** From the option, else from the environment, where no other user of the machine sees a password. */
export function databaseUrlOf({ databaseUrl }: { databaseUrl?: string | undefined }): string | undefined {
  return databaseUrl ?? process.env['GRADUS_DATABASE_URL']
}

/** For verbs that can do nothing without one. */
export function noDatabase(): GradusError {
  return new GradusError('GRD-CLI-002', {
    where: { field: '--database-url' },
    found: 'nothing',
    expected: 'postgres://user:password@host/database, here or in GRADUS_DATABASE_URL',
  })
}
