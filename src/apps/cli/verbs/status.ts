import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { jobStatus, liveWorkers } from '../../../engine/distributed/catalogue.ts'
import { openDatabase } from '../../../engine/distributed/database.ts'
import { pauseJob, resumeJob } from '../../../engine/distributed/plan.ts'
import { Queue } from '../../../engine/distributed/queue.ts'
import { databaseUrlOf, noDatabase } from '../many-flags.ts'
import { statusText } from '../show/job-status.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  databaseUrl: z
    .string()
    .optional()
    .describe('postgres://... or the folder of a pglite database; GRADUS_DATABASE_URL where not given'),
  pause: z.boolean().default(false).describe('begin nothing more of the job; what is under way ends and is kept'),
  resume: z.boolean().default(false).describe('let a paused job go on'),
  watch: z.boolean().default(false).describe('look again each second, until Ctrl-C'),
  json: z.boolean().default(false).describe('jobs and workers as one JSON object'),
})

/** Between two looks, milliseconds. */
const WATCH_MS = 1_000

export const status = verb({
  name: 'status',
  summary: 'jobs on many machines: progress, rate, spending, failures, workers',
  arguments: '[job]',
  options: Options,
  examples: [
    'gradus status --database-url postgres://gradus@db.example.com/gradus --watch',
    'gradus status sample-0123456789abcdef --pause',
  ],
  async run([job], options, terminal) {
    const url = databaseUrlOf(options)
    if (url === undefined) throw noDatabase()
    if ((options.pause || options.resume) && (job === undefined || options.pause === options.resume)) {
      throw new GradusError('GRD-CLI-001', {
        found: job === undefined ? 'no job' : '--pause and --resume',
        expected: 'a job, and one of --pause and --resume',
        try: ['gradus status   (names the jobs)'],
      })
    }
    const database = await openDatabase(url)
    try {
      if (job !== undefined && (options.pause || options.resume)) {
        const queue = await Queue.open(database, () => undefined)
        try {
          await (options.pause ? pauseJob(database, queue, job) : resumeJob(database, queue, job))
        } finally {
          await queue.close()
        }
      }
      const show = async (): Promise<void> => {
        const jobs = await jobStatus(database, job)
        if (job !== undefined && jobs.length === 0) {
          throw new GradusError('GRD-RUN-006', { found: job, try: ['gradus status   (names the jobs)'] })
        }
        const workers = await liveWorkers(database)
        const clear = options.watch && terminal.interactive ? '\u001b[H\u001b[2J' : ''
        if (clear !== '') terminal.err(clear)
        terminal.out(options.json ? `${JSON.stringify({ jobs, workers })}\n` : statusText(jobs, workers))
      }
      await show()
      while (options.watch) {
        await new Promise((resolve) => setTimeout(resolve, WATCH_MS))
        await show()
      }
      return EXIT.done
    } finally {
      await database.close()
    }
  },
})
