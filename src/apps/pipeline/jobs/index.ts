import type { JobKind } from '../../../engine/distributed/job.ts'
import { labelJob } from './label-job.ts'
import { sampleJob } from './sample-job.ts'

/** What workers can do. */
export const JOB_KINDS: readonly JobKind[] = [sampleJob, labelJob]

/** Which items of a kind of job belong into one shard. */
export function togetherIn(kind: string): JobKind['together'] {
  return JOB_KINDS.find(({ name }) => name === kind)?.together
}
