import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** Raised when the tables or the meaning of a column change; an index of another version is made anew. */
export const INDEX_VERSION = 2

/** What an index knows of its data, and of itself. */
export interface Facts {
  format: string
  /** Of the data when they were indexed. */
  size: number
  modified: number
  /** SHA-256 of the first bytes. */
  head: string
  /** Up to here everything is indexed: one past the last whole line; `size` for data that are no plain JSON Lines. */
  end: number
  /** SHA-256 of the last bytes before `end`. */
  tail: string
  finished: boolean
  traces: number
  steps: number
  leftOut: number
  /** Errors of the first records that were left out. */
  examples: string[]
}

/** Bytes that are hashed at either end. */
const HASHED = 64 * 1024

/** What is lost of a time when a file is copied with its times, milliseconds. */
const CLOCK_MS = 2

export interface Fingerprint {
  size: number
  modified: number
  head: string
}

/** @throws the system's error where the file cannot be read */
export function fingerprint(path: string): Fingerprint {
  const { size, mtimeMs } = statSync(path)
  return { size, modified: mtimeMs, head: hashOf(path, 0, Math.min(size, HASHED)) }
}

/** Hash of the bytes before a place. */
export function tailOf(path: string, end: number): string {
  return hashOf(path, Math.max(0, end - HASHED), end)
}

/**
 * How an index stands to its data: `fresh`; `grown` = whole lines were added, or an earlier indexing was cut off, so
 * that it can go on from `end`; `stale` = to be made anew.
 */
export function freshness(facts: Facts, path: string): 'fresh' | 'grown' | 'stale' {
  const now = fingerprint(path)
  const sameTime = Math.abs(facts.modified - now.modified) < CLOCK_MS
  if (facts.finished && facts.size === now.size && sameTime) {
    return facts.head === now.head ? 'fresh' : 'stale'
  }
  if (facts.format !== 'gradus' || facts.end === 0 || facts.end > now.size) return 'stale'
  // What was there must still be there; only growth or an interruption may have happened.
  if (facts.finished && now.size <= facts.size) return 'stale'
  const sameHead = facts.size >= HASHED ? facts.head === now.head : facts.head === hashOf(path, 0, facts.size)
  return sameHead && facts.tail === tailOf(path, facts.end) ? 'grown' : 'stale'
}

function hashOf(path: string, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from)
  const file = openSync(path, 'r')
  try {
    const got = readSync(file, bytes, 0, bytes.length, from)
    return createHash('sha256').update(bytes.subarray(0, got)).digest('hex')
  } finally {
    closeSync(file)
  }
}
