import { Transform } from 'node:stream'

const NEWLINE = 10
/** Enough to hold what stands before or behind the parameters of a request. */
const EDGE_BYTES = 512

/** A line that was not let through. */
export interface TooLong {
  bytes: number
  /** Of the request, where it can be told from the ends of the line. */
  id: string | number | undefined
}

/**
 * Lets lines through whole, one a piece, and leaves out those beyond the limit: a connection outlives a message that is
 * too long, and nobody holds more than one such message in memory.
 */
export function wholeLines(limit: number, tooLong: (line: TooLong) => void): Transform {
  let pieces: Buffer[] = []
  let bytes = 0
  /** First and last bytes of a line that is too long. */
  let head: Buffer | null = null
  let tail = Buffer.alloc(0)

  function add(piece: Buffer): void {
    bytes += piece.length
    if (head === null) {
      pieces.push(piece)
      if (bytes <= limit) return
      const held = Buffer.concat(pieces)
      pieces = []
      head = Buffer.from(held.subarray(0, EDGE_BYTES))
      tail = Buffer.from(held.subarray(-EDGE_BYTES))
    } else {
      tail = Buffer.from(Buffer.concat([tail, piece.subarray(-EDGE_BYTES)]).subarray(-EDGE_BYTES))
    }
  }

  function end(): Buffer | null {
    const line = head === null ? Buffer.concat([...pieces, Buffer.from('\n')]) : null
    if (head !== null) tooLong({ bytes, id: idOf(head.toString(), tail.toString()) })
    pieces = []
    bytes = 0
    head = null
    return line
  }

  return new Transform({
    transform(chunk: Buffer, _, done) {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        add(chunk.subarray(from, at))
        from = at + 1
        const line = end()
        if (line) this.push(line)
      }
      if (from < chunk.length) add(Buffer.from(chunk.subarray(from)))
      done()
    },
  })
}

const ID = String.raw`"id"\s*:\s*(-?\d+|"[^"\\]*")`
const FIRST = new RegExp(String.raw`^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?${ID}\s*,`)
/** The last brace of a line closes the message itself, so that the members before it are its own. */
const LAST = new RegExp(String.raw`,\s*${ID}\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$`)

/** The id of a message from its ends: clients write it first or last. */
function idOf(head: string, tail: string): string | number | undefined {
  const found = FIRST.exec(head)?.[1] ?? LAST.exec(tail)?.[1]
  return found === undefined ? undefined : (JSON.parse(found) as string | number)
}
