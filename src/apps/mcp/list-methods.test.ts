import { describe, expect, it } from 'vitest'
import { CATALOGUE } from '../catalogue.ts'
import { listMethods } from './list-methods.ts'
import { ask, plainServices, textOf } from './testing/ask.ts'

const list = async (name?: string) => {
  const result = await ask(listMethods, name === undefined ? {} : { name }, plainServices('/'))
  return { rooms: (result.structuredContent as { rooms: unknown[] }).rooms, result }
}

describe('list_methods', () => {
  it('names every method of every room, with nothing more', async () => {
    const { rooms, result } = await list()
    expect(rooms).toEqual(
      CATALOGUE.map(({ name, question, methods }) => ({
        name,
        question,
        methods: methods.map((m) => ({ name: m.name })),
      })),
    )
    expect(textOf(result).length).toBeLessThan(8_000)
  })

  it('says of a room what each method does, and of a method all that is known', async () => {
    const { rooms } = await list('annotators')
    const annotators = CATALOGUE.find((room) => room.name === 'annotators')
    expect(rooms).toMatchObject([
      { name: 'annotators', methods: annotators?.methods.map(({ name, summary }) => ({ name, summary })) },
    ])
    const one = await list('monte-carlo')
    expect(one.rooms).toMatchObject([
      { methods: [{ name: 'monte-carlo', options: { properties: { k: { type: 'integer' } } } }] },
    ])
  })

  it('fails with a code for a name that is not there', async () => {
    const { result } = await list('nothing')
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'GRD-LABEL-001', found: 'nothing' } },
    })
  })
})
