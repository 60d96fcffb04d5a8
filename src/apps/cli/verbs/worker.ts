import { z } from 'zod'
import { explain, GradusError } from '../../../core/errors.ts'
import { openDatabase } from '../../../engine/distributed/database.ts'
import { Queue } from '../../../engine/distributed/queue.ts'
import { Worker } from '../../../engine/distributed/worker.ts'
import { JOB_KINDS } from '../../pipeline/jobs/index.ts'
import { databaseUrlOf, noDatabase } from '../many-flags.ts'
import { count } from '../show/style.ts'
import { EXIT, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  databaseUrl: z.string().optional().describe('postgres://...; GRADUS_DATABASE_URL where not given'),
  jobs: z.number().int().positive().default(64).describe('calls under way at most, for each job'),
  idle: z.number().positive().optional().describe('end after so many seconds without work; else wait for ever'),
  json: z.boolean().default(false).describe('a JSON object a shard'),
})

export const worker = verb({
  name: 'worker',
  summary: 'does shards of jobs that commands with --engine postgres have planned',
  arguments: '',
  options: Options,
  examples: [
    'gradus worker --database-url postgres://gradus@db.example.com/gradus',
    'gradus worker --jobs 128 --idle 60',
  ],
  async run(_, options, terminal) {
    const url = databaseUrlOf(options)
    if (url === undefined) throw noDatabase()
    const database = await openDatabase(url)
    const queue = await Queue.open(database, (error) => trouble(terminal, error))
    const own = new Worker({
      database,
      queue,
      kinds: JOB_KINDS,
      concurrency: options.jobs,
      ...(options.idle !== undefined && { idleSeconds: options.idle }),
      onShard: ({ job, shard }, end) => {
        if (options.json) terminal.out(`${JSON.stringify({ job, shard, ...end })}\n`)
        else if (end.state === 'done') terminal.out(`  ${job}   shard ${shard}   ${count(end.items)} items\n`)
        else terminal.out(`  ${job}   shard ${shard}   ${end.state}\n`)
      },
      onTrouble: (_ticket, error) => trouble(terminal, error),
    })
    const interrupt = (): void => (draining ? own.abort() : own.drain())
    let draining = false
    const onSignal = (): void => {
      interrupt()
      if (!draining && own.inFlight > 0 && !options.json) terminal.out(`  waiting for ${count(own.inFlight)} calls\n`)
      draining = true
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    if (!options.json) terminal.out(`  ${own.name}   ${database.where}   Ctrl-C ends it when its calls have ended\n`)
    try {
      await own.run()
    } finally {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      await queue.close()
      await database.close()
    }
    return EXIT.done
  },
})

function trouble(terminal: Terminal, error: unknown): void {
  terminal.err(
    `${error instanceof GradusError ? explain(error) : error instanceof Error ? error.message : String(error)}\n`,
  )
}
