import { open, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createGunzip } from 'node:zlib'
import { GradusError } from '../core/errors.ts'
import { LIMITS } from '../core/limits.ts'

/** Bytes of a file or of standard input (`-`), decompressed where they are gzip, whatever the name says. */
export interface Opened {
  /** As given; `standard input` for `-`. */
  file: string
  /** The first bytes after decompression: up to `HEAD_BYTES`, or all there are. */
  head: Buffer
  /** All bytes, the head included; can be read once. A piece is valid until the next is asked for. */
  bytes: AsyncIterable<Uint8Array>
  /** Size on disk, null for a stream. */
  size: number | null
  /** Is the file gzip? Then places in `bytes` are not places in the file. */
  zipped: boolean
}

/** Enough to see a first record of nearly every file. */
const HEAD_BYTES = 1 << 20
/** Read at once: each read wakes a thread, which costs as much as parsing twenty records. */
const READ_BYTES = 1 << 20
/** Small enough that a piece's parsed records die young (docs/decisions/jsonl-reading.md). */
const PIECE_BYTES = 1 << 16
/** Output of gunzip; where the data turn out to be damaged, at most this much before the damage is lost. */
const CHUNK_BYTES = 1 << 16

/**
 * @throws GradusError GRD-IO-001 where the file cannot be opened, GRD-IO-007 where gzip data is damaged (while
 *   reading), GRD-IO-009 where there is nothing in it, GRD-IO-010 for a gzip bomb
 */
export async function openBytes(path: string): Promise<Opened> {
  const file = path === '-' ? 'standard input' : path
  const size = path === '-' ? null : await sizeOf(path)
  const raw: AsyncIterable<Buffer> = path === '-' ? process.stdin : filePieces(path)
  const source = raw[Symbol.asyncIterator]()

  const { value: first, done: nothing } = await source.next()
  if (nothing) throw new GradusError('GRD-IO-009', { where: { file }, found: 'an empty file' })
  const zipped = first[0] === 0x1f && first[1] === 0x8b
  const plain = zipped ? gunzip(prepend([first], source), file) : prepend([first], source)

  const iterator = plain[Symbol.asyncIterator]()
  const pieces: Buffer[] = []
  let got = 0
  let damage: unknown
  while (got < HEAD_BYTES) {
    const next = await iterator.next().catch((error: unknown) => {
      if (got === 0) throw error
      damage = error
      return null
    })
    if (next === null || next.done) break
    pieces.push(Buffer.from(next.value))
    got += next.value.length
  }
  if (got === 0) throw new GradusError('GRD-IO-009', { where: { file }, found: 'an empty file' })
  return {
    file,
    head: Buffer.concat(pieces),
    bytes: prepend(pieces, damage === undefined ? iterator : failing(damage)),
    size,
    zipped,
  }
}

/** A text that is here already, as a file of this name would be. @throws GradusError GRD-IO-009 where it is empty */
export function openedText(text: string, file: string): Opened {
  const whole = Buffer.from(text)
  if (whole.length === 0) throw new GradusError('GRD-IO-009', { where: { file }, found: 'an empty text' })
  const bytes = async function* () {
    yield* cut(whole)
  }
  return { file, head: whole.subarray(0, HEAD_BYTES), bytes: bytes(), size: whole.length, zipped: false }
}

/**
 * Pieces of a file in two buffers that are used again and again: twice as fast as a stream for small records. The next
 * ones are read while the last ones are looked at. A piece ends with a line feed wherever there is one near enough, so
 * that a reader of lines has nothing to join.
 * @param from byte to begin at
 */
export async function* filePieces(path: string, from = 0): AsyncGenerator<Buffer> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw cannotOpen(path, cause)
  })
  const room = READ_BYTES + PIECE_BYTES
  const buffers = [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(room)] as const
  let at = from
  /** Bytes of an unfinished line, at the beginning of the buffer that is read into. */
  let kept = 0
  const read = (into: Buffer) => {
    const reading = file.read(into, kept, READ_BYTES, from === 0 ? null : at)
    // Whoever asks for the piece hears of a failure.
    reading.catch(() => {})
    return reading
  }
  let ahead = read(buffers[0])
  try {
    for (let turn = 1; ; turn++) {
      const { bytesRead, buffer } = await ahead
      if (bytesRead === 0) {
        if (kept > 0) yield buffer.subarray(0, kept)
        return
      }
      at += bytesRead
      const filled = buffer.subarray(0, kept + bytesRead)
      const lines = filled.lastIndexOf(10) + 1
      const end = filled.length - lines <= PIECE_BYTES ? lines : filled.length
      const next = buffers[turn % 2]!
      filled.copy(next, 0, end)
      kept = filled.length - end
      ahead = read(next)
      yield* cut(filled.subarray(0, end))
    }
  } finally {
    await ahead.catch(() => {})
    await file.close()
  }
}

/** Pieces of about `PIECE_BYTES` that end with a line feed, longer ones where a line is longer. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const wanted = from + PIECE_BYTES
    let to = bytes.lastIndexOf(10, wanted - 1) + 1
    if (to <= from) to = bytes.indexOf(10, wanted) + 1
    if (to === 0 || wanted >= bytes.length) to = bytes.length
    yield bytes.subarray(from, to)
    from = to
  }
}

/** `runs/a.jsonl.gz` -> `a` */
export function stem(path: string): string {
  return basename(path)
    .replace(/\.gz$/, '')
    .replace(/\.[^.]+$/, '')
}

function cannotOpen(path: string, cause: NodeJS.ErrnoException): GradusError {
  const known: Record<string, string> = { ENOENT: 'no such file', EACCES: 'no permission to read it' }
  return new GradusError('GRD-IO-001', {
    where: { file: path === '' ? "''" : path },
    found: known[cause.code ?? ''] ?? cause.message,
    expected: 'a file that can be read, or - for standard input',
    try: [`ls -l ${dirname(path)}`],
    cause,
  })
}

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw cannotOpen(path, cause)
  })
  if (info.isDirectory()) {
    throw new GradusError('GRD-IO-001', {
      where: { file: path },
      found: 'a directory',
      expected: 'a file with traces',
      try: [`name its files: ${path.replace(/\/$/, '')}/*.jsonl`],
    })
  }
  return info.size
}

/** What stands before a break is read first. */
async function* failing(error: unknown): AsyncGenerator<Buffer> {
  yield* []
  throw error
}

/** Not a generator: one that was never begun would not close what it stands on. */
function prepend<T extends Uint8Array>(first: readonly T[], rest: AsyncIterator<T>): AsyncIterableIterator<T> {
  let at = 0
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      return at < first.length ? { done: false, value: first[at++]! } : await rest.next()
    },
    async return() {
      at = first.length
      await rest.return?.()
      return { done: true, value: undefined }
    },
  }
}

/**
 * Decompressed pieces. They are taken as zlib makes them, not by reading the stream: a stream that fails throws away
 * what it still holds, and everything before a break is to be kept.
 */
async function* gunzip(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES })
  const ready: Buffer[] = []
  let ended = false
  unzip.on('data', (chunk: Buffer) => ready.push(chunk))
  const over = new Promise<unknown>((resolve) => {
    unzip.once('end', () => resolve(null)).once('error', resolve)
  }).then((cause) => {
    ended = true
    return cause
  })
  let packed = 0
  let unpacked = 0
  const checked = (chunk: Buffer): Buffer => {
    unpacked += chunk.length
    if (unpacked > 64 * CHUNK_BYTES && unpacked > packed * LIMITS.gzipRatio) {
      throw new GradusError('GRD-IO-010', {
        where: { file },
        found: `gzip data that grows more than ${LIMITS.gzipRatio} times`,
        try: ['decompress it yourself if you trust it'],
      })
    }
    return chunk
  }
  try {
    for await (const chunk of bytes) {
      packed += chunk.length
      // Piece by piece: what waits is at most what one piece unpacks to.
      await Promise.race([new Promise((resolve) => unzip.write(Buffer.from(chunk), resolve)), over])
      for (const piece of ready.splice(0)) yield checked(piece)
      if (ended) break
    }
    unzip.end()
    const cause = await over
    for (const piece of ready.splice(0)) yield checked(piece)
    if (cause !== null) throw damaged(file, cause)
  } finally {
    unzip.destroy()
  }
}

function damaged(file: string, cause: unknown): GradusError {
  return new GradusError('GRD-IO-007', {
    where: { file },
    found: cause instanceof Error ? cause.message : String(cause),
    expected: 'a whole gzip file',
    try: ['gzip --test FILE', 'fetch the file again'],
    cause,
  })
}
