import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createGunzip } from 'node:zlib'
import { GradusError } from '../core/errors.ts'
import { LIMITS } from '../core/limits.ts'

/** Bytes of a file or of standard input (`-`), decompressed where they are gzip, whatever the name says. */
export interface Opened {
  /** As given; `standard input` for `-`. */
  file: string
  /** The first bytes after decompression: up to `HEAD_BYTES`, or all there are. */
  head: Buffer
  /** All bytes, the head included; can be read once. */
  bytes: AsyncIterable<Uint8Array>
  /** Size on disk, null for a stream. */
  size: number | null
}

/** Enough to see a first record of nearly every file. */
const HEAD_BYTES = 1 << 20
const CHUNK_BYTES = 1 << 20

/**
 * @throws GradusError GRD-IO-001 where the file cannot be opened, GRD-IO-007 where gzip data is damaged (while
 *   reading), GRD-IO-009 where there is nothing in it, GRD-IO-010 for a gzip bomb
 */
export async function openBytes(path: string): Promise<Opened> {
  const file = path === '-' ? 'standard input' : path
  const size = path === '-' ? null : await sizeOf(path)
  const raw = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES })
  const source = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>

  const first = await source.next()
  if (first.done) throw new GradusError('GRD-IO-009', { where: { file }, found: 'an empty file' })
  const zipped = first.value[0] === 0x1f && first.value[1] === 0x8b
  const plain = zipped ? gunzip(prepend([first.value], source), file) : prepend([first.value], source)

  const iterator = plain[Symbol.asyncIterator]()
  const pieces: Buffer[] = []
  let got = 0
  while (got < HEAD_BYTES) {
    const next = await iterator.next()
    if (next.done) break
    pieces.push(Buffer.from(next.value))
    got += next.value.length
  }
  if (got === 0) throw new GradusError('GRD-IO-009', { where: { file }, found: 'an empty file' })
  return { file, head: Buffer.concat(pieces), bytes: prepend(pieces, iterator), size }
}

/** `runs/a.jsonl.gz` -> `a` */
export function stem(path: string): string {
  return basename(path)
    .replace(/\.gz$/, '')
    .replace(/\.[^.]+$/, '')
}

async function sizeOf(path: string): Promise<number> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new GradusError('GRD-IO-001', {
      where: { file: path },
      found:
        cause.code === 'ENOENT' ? 'no such file' : cause.code === 'EACCES' ? 'no permission to read it' : cause.message,
      cause,
    })
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

async function* prepend<T extends Uint8Array>(first: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield* first
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function* gunzip(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES })
  let packed = 0
  let unpacked = 0
  const feed = (async () => {
    try {
      for await (const chunk of bytes) {
        packed += chunk.length
        if (!unzip.write(chunk)) await new Promise((go) => unzip.once('drain', go))
        if (unzip.destroyed) return
      }
      unzip.end()
    } catch (error) {
      unzip.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })()
  try {
    for await (const chunk of unzip) {
      unpacked += chunk.length
      if (unpacked > 16 * CHUNK_BYTES && unpacked > packed * LIMITS.gzipRatio) {
        throw new GradusError('GRD-IO-010', {
          where: { file },
          found: `gzip data that grows more than ${LIMITS.gzipRatio} times`,
          try: ['decompress it yourself if you trust it'],
        })
      }
      yield chunk
    }
    await feed
  } catch (cause) {
    if (cause instanceof GradusError) throw cause
    throw new GradusError('GRD-IO-007', {
      where: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a whole gzip file',
      try: ['gzip --test FILE', 'fetch the file again'],
      cause,
    })
  } finally {
    unzip.destroy()
  }
}
