import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { listenOn } from '../../server/listen.ts'
import { loadAssets } from '../../viewer/bundle.ts'
import { ViewedData } from '../../viewer/data.ts'
import { Door } from '../../viewer/door.ts'
import { LabelStore } from '../../viewer/labels.ts'
import { PersonName } from '../../viewer/schemas.ts'
import { viewerApp } from '../../viewer/server.ts'
import { count } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  port: z.number().int().min(0).max(65_535).default(0).describe('port on the loopback address; 0 = any free one'),
  person: PersonName.optional().describe('who labels; else the page asks for a name'),
  instructions: z.string().optional().describe('text file that is shown beside the label queue'),
  each: z.number().int().min(1).max(20).default(1).describe('people who label each trace of the queue'),
  json: z.boolean().default(false).describe('the address as one JSON object'),
})

export const view = verb({
  name: 'view',
  summary: 'traces, trees, doubts and runs in the browser; labels by people',
  arguments: '<file or run folder...>',
  options: Options,
  examples: [
    'gradus view labelled.jsonl',
    'gradus view runs/first runs/second',
    'gradus view labelled.jsonl --person Ada --each 2 --instructions guide.txt',
  ],
  async run(paths, options, terminal) {
    if (paths.includes('-')) {
      throw new GradusError('GRD-CLI-001', {
        found: 'standard input',
        expected: 'files of traces, or folders of runs',
        try: ['write it to a file first: a viewer reads what it shows again and again'],
      })
    }
    const instructions = options.instructions === undefined ? null : await textOf(options.instructions)
    const [data, assets] = await Promise.all([ViewedData.open(paths), loadAssets()])
    const store = new LabelStore(labelFile(data))
    const door = new Door()
    let port = options.port
    const address = (): string => `http://127.0.0.1:${port}`
    const { each, person = null } = options
    const app = viewerApp(data, store, door, assets, { instructions, each, person, address })
    const listening = await listenOn(app.fetch, port)
    port = listening.port
    const link = (): string => `${address()}/?token=${door.invite()}`
    if (options.json) terminal.out(`${JSON.stringify({ url: link() })}\n`)
    else {
      terminal.out(`  ${count(data.find({}).length)} traces so far   ${paths.join(' ')}\n`)
      terminal.out(`  open     ${link()}\n  labels   ${store.file}\n`)
      terminal.out('  The address lets one browser in; Enter gives another, Ctrl-C ends it.\n')
    }
    if (process.stdin.isTTY) process.stdin.on('data', () => terminal.out(`  open     ${link()}\n`))
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), listening.failed])
    await data.close()
    store.close()
    // Browsers keep connections open.
    process.exit(EXIT.done)
  },
})

async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: Error) => {
    throw new GradusError('GRD-IO-001', { where: { file }, found: cause.message, cause })
  })
}

/** Labels of people stand beside the first file, or in the first run's folder. */
function labelFile({ sources: [first] }: ViewedData): string {
  return first!.isRun ? join(first!.path, 'labels.sqlite') : `${first!.path}.labels.sqlite`
}
