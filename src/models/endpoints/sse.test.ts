import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ServerEvent } from './sse.ts'
import { EventParser } from './sse.ts'

/** Splits the bytes at the given places and feeds the pieces. */
function parse(text: string, cuts: number[] = []): ServerEvent[] {
  const bytes = new TextEncoder().encode(text)
  const parser = new EventParser()
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).flatMap((end, i) => parser.push(bytes.slice(places[i], end)))
}

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\uFEFF]/g, ''))
const event = fc.record({
  event: fc.option(line.filter((text) => text.trim() === text && text !== '')),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
  comment: fc.option(line),
})
const ending = fc.constantFrom('\n', '\r\n', '\r')

describe('server-sent events', () => {
  it('come out the same however the bytes are cut and whatever ends the lines', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 5 }),
        ending,
        fc.array(fc.nat(), { maxLength: 20 }),
        (events, end, cuts) => {
          const text = events
            .map(({ event, data, comment }) =>
              [
                ...(comment === null ? [] : [`:${comment}`]),
                ...(event === null ? [] : [`event: ${event}`]),
                ...data.map((part) => `data: ${part}`),
                '',
                '',
              ].join(end),
            )
            .join('')
          // A lone CR at the very end may still become a CRLF, but the event is complete.
          expect(parse(text, cuts)).toEqual(
            events.map(({ event, data }) => ({ event: event ?? 'message', data: data.join('\n') })),
          )
        },
      ),
    )
  })

  it('survive any bytes at all, and cuts never matter', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 10 }), (bytes, cuts) => {
        const whole = new EventParser().push(bytes)
        const parser = new EventParser()
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        expect(places.slice(1).flatMap((end, i) => parser.push(bytes.slice(places[i], end)))).toEqual(whole)
      }),
    )
  })

  it('follow the rules for fields', () => {
    expect(parse('data:no space\n\n')).toEqual([{ event: 'message', data: 'no space' }])
    expect(parse('data:  one of two spaces\n\n')).toEqual([{ event: 'message', data: ' one of two spaces' }])
    expect(parse('data\n\n')).toEqual([{ event: 'message', data: '' }])
    expect(parse('id: 1\nretry: 5\nunknown: x\n\n')).toEqual([])
    expect(parse('event: ping\n\n')).toEqual([])
    expect(parse('\uFEFFdata: x\n\n')).toEqual([{ event: 'message', data: 'x' }])
    expect(parse('data: cut off')).toEqual([])
    expect(parse('data: cut off\n')).toEqual([])
  })

  it('have a size limit', () => {
    const parser = new EventParser()
    const piece = new TextEncoder().encode('x'.repeat(1024 * 1024))
    expect(() => {
      for (let i = 0; i < 20; i++) parser.push(piece)
    }).toThrow('GRD-CALL-007')
  })
})
