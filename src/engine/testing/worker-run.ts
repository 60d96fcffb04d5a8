/** A worker in a process of its own, for tests that kill it. Arguments: database, calls under way. */
import { openDatabase } from '../distributed/database.ts'
import { Queue } from '../distributed/queue.ts'
import { Worker } from '../distributed/worker.ts'
import { drawing } from './drawing.ts'

const [url = '', concurrency = '8'] = process.argv.slice(2)
const database = await openDatabase(url)
const queue = await Queue.open(database, () => undefined)
const worker = new Worker({ database, queue, kinds: [drawing], concurrency: Number(concurrency) })
process.on('SIGTERM', () => worker.drain())
// A test that fails leaves nobody behind.
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
await worker.run()
await queue.close()
await database.close()
process.exit(0)
