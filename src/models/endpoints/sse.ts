import { Fault } from '../../engine/fault.ts'

export interface ServerEvent {
  /** `message` where the stream does not say. */
  event: string
  data: string
}

/** One event, characters: a chunk with twenty alternatives a token stays far below it. */
const EVENT_CHARS = 16 * 1024 * 1024

/**
 * Server-sent events from bytes in any portions (WHATWG HTML, 9.2.6): CR, LF and CRLF end lines, an empty line ends an
 * event, comments and unknown fields are skipped, an event without its empty line at the end of the stream is dropped.
 */
export class EventParser {
  #decoder = new TextDecoder()
  #line = ''
  #afterCr = false
  #event = ''
  #data: string[] = []
  #chars = 0

  /** The events that these bytes complete. @throws Fault GRD-CALL-007 when an event is longer than the limit */
  push(bytes: Uint8Array): ServerEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true })
    const events: ServerEvent[] = []
    let start = 0
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i)
      if (c !== 10 && c !== 13) {
        this.#afterCr = false
        continue
      }
      // The LF of a CRLF, perhaps in the next portion.
      if (c === 10 && this.#afterCr) {
        this.#afterCr = false
        start = i + 1
        continue
      }
      this.#afterCr = c === 13
      const done = this.#take(this.#line + text.slice(start, i))
      if (done) events.push(done)
      this.#line = ''
      start = i + 1
    }
    this.#line += text.slice(start)
    if (this.#chars + this.#line.length > EVENT_CHARS) {
      throw new Fault('GRD-CALL-007', { found: `an event of more than ${EVENT_CHARS} characters` })
    }
    return events
  }

  #take(line: string): ServerEvent | undefined {
    if (line === '') {
      const done = this.#data.length > 0 ? { event: this.#event || 'message', data: this.#data.join('\n') } : undefined
      this.#event = ''
      this.#data = []
      this.#chars = 0
      return done
    }
    this.#chars += line.length
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#event = value
    return undefined
  }
}
