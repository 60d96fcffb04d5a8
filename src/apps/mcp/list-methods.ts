import { z } from 'zod'
import { type Room, roomsNamed } from '../catalogue.ts'
import { AnyObject, tool } from './tool.ts'

const Method = z.object({
  name: z.string(),
  summary: z.string().optional(),
  covers: z.string().optional().describe('what it can decide'),
  trust: z.string().optional().describe('how often it is right, as measured'),
  paper: z.string().optional(),
  home: z.string().optional(),
  options: AnyObject.optional().describe('JSON Schema; written as name:option=value'),
})
const Output = z.object({
  rooms: z.array(z.object({ name: z.string(), question: z.string(), methods: z.array(Method) })),
})

export const listMethods = tool({
  name: 'list_methods',
  title: 'Catalogue of methods',
  description:
    'What Gradus can do: without a name all rooms with the names in them; with the name of a room (annotators, formats, ...) what each of its methods does; with the name of a method all that is known of it: what it covers, how far it may be trusted, its options.',
  input: z.strictObject({ name: z.string().optional().describe('of a room or of a method') }),
  output: Output,
  asksModels: false,
  run({ name }) {
    const rooms = roomsNamed(name)
    const whole = name !== undefined && rooms.every((room) => room.methods.length === 1)
    const data = {
      rooms: rooms.map(({ name: room, question, methods }) => ({
        name: room,
        question,
        methods: methods.map((m) => (whole ? all(m) : name === undefined ? { name: m.name } : named(m))),
      })),
    }
    const text = data.rooms.map((room) => {
      const inside = room.methods.map((m) => ('summary' in m ? `  ${m.name}: ${m.summary}` : m.name))
      return `${room.name} (${room.question})\n${name === undefined ? `  ${inside.join(', ')}` : inside.join('\n')}`
    })
    return { data, text: text.join('\n') }
  },
})

type CatalogueMethod = Room['methods'][number]

const named = ({ name, summary }: CatalogueMethod) => ({ name, summary })

function all({ name, summary, covers, trust, paper, home, options }: CatalogueMethod): z.output<typeof Method> {
  return {
    name,
    summary,
    ...(covers !== undefined && { covers }),
    ...(trust !== undefined && { trust }),
    ...(paper !== undefined && { paper }),
    ...(home !== undefined && home !== '' && { home }),
    ...(options && { options: z.toJSONSchema(options) as Record<string, unknown> }),
  }
}
