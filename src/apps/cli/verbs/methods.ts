import { z } from 'zod'
import { described, type Room, roomsNamed } from '../../catalogue.ts'
import { wrapped } from '../show/style.ts'
import { EXIT, verb } from '../verb.ts'

const Options = z.object({
  json: z.boolean().default(false).describe('the catalogue with JSON Schemas of all options'),
})

export const methods = verb({
  name: 'methods',
  summary: 'the catalogue of formats, annotators, rules and models',
  arguments: '[name]',
  options: Options,
  examples: ['gradus methods', 'gradus methods formats', 'gradus methods verifier:arithmetic'],
  async run([name], options, terminal) {
    const rooms = roomsNamed(name)
    if (options.json) {
      terminal.out(`${JSON.stringify(rooms.map(described))}\n`)
      return EXIT.done
    }
    for (const room of rooms) {
      terminal.out(`${room.name}: ${room.question}\n`)
      const width = Math.max(MIN_NAME, ...room.methods.map((m) => m.name.length + 1))
      for (const m of room.methods) {
        terminal.out(`  ${m.name.padEnd(width)} ${m.summary}\n`)
        if (room.methods.length > 1) continue
        for (const [key, value] of details(m)) {
          wrapped(value, Math.max(40, Math.min(terminal.columns, 120) - width - 3), 6).forEach((line, i) => {
            terminal.out(`  ${(i === 0 ? `  ${key}` : '').padEnd(width)} ${line}\n`)
          })
        }
      }
      terminal.out('\n')
    }
    return EXIT.done
  },
})

/** What is known of one method, a row each; options come last. */
function details({ covers, trust, paper, home, options }: Room['methods'][number]): [string, string][] {
  const known: [string, string | undefined][] = [
    ['covers', covers],
    ['trust', trust],
    ['paper', paper],
    ['home', home],
    ...Object.entries(options?.shape ?? {}).map(([name, field]): [string, string] => [
      name,
      (field as z.ZodType).description ?? '',
    ]),
  ]
  return known.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))
}

/** Columns of a method's name; the longest makes more. */
const MIN_NAME = 28
