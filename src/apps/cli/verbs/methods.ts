import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { CATALOGUE, type Room } from '../../catalogue.ts'
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
    const rooms = select(name)
    if (options.json) {
      const described = rooms.map((room) => ({
        ...room,
        methods: room.methods.map((m) => ({
          name: m.name,
          summary: m.summary,
          paper: m.paper,
          home: m.home,
          covers: m.covers,
          trust: m.trust,
          options: m.options && z.toJSONSchema(m.options),
        })),
      }))
      terminal.out(`${JSON.stringify(described)}\n`)
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

function select(name: string | undefined): typeof CATALOGUE {
  if (name === undefined) return CATALOGUE
  const room = CATALOGUE.find((r) => r.name === name)
  if (room) return [room]
  const found = CATALOGUE.flatMap((r) =>
    r.methods.filter((m) => m.name === name || m.name === `verifier:${name}`).map((m) => ({ ...r, methods: [m] })),
  )
  if (found.length > 0) return found
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `a room (${CATALOGUE.map((r) => r.name).join(', ')}) or a method's name`,
    try: ['gradus methods'],
  })
}
