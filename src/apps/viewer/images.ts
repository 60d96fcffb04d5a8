import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Trace } from '../../core/words.ts'

/** A larger picture is not sent, bytes. */
const LARGEST = 30 * 1024 * 1024
/** Pictures that browsers draw without running anything in them, by their first bytes; SVG is none. */
const KINDS: readonly [type: string, start: RegExp][] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[\s\S]{4}WEBP/],
  ['image/avif', /^[\s\S]{4}ftypavif/],
]

/** Paths of all pictures of the problem, as the trace has them. */
export function imagePaths(trace: Trace): string[] {
  return (trace.problem.context ?? []).flatMap((c) => (c.kind === 'images' ? c.images.map((image) => image.path) : []))
}

/**
 * A picture that a trace names; null where it is not a picture inside the data folder. Links are followed before that
 * is decided, and nothing is ever fetched.
 */
export function imageAt(folder: string, path: string): { type: string; file: string; bytes: number } | null {
  try {
    const root = realpathSync(folder)
    const file = realpathSync(join(root, path))
    const info = statSync(file)
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep) || !info.isFile() || info.size > LARGEST) return null
    const head = headOf(file)
    const type = KINDS.find(([, start]) => start.test(head))?.[0]
    return type === undefined ? null : { type, file, bytes: info.size }
  } catch {
    return null
  }
}

function headOf(file: string): string {
  const bytes = Buffer.alloc(16)
  const opened = openSync(file, 'r')
  try {
    return bytes.toString('latin1', 0, readSync(opened, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(opened)
  }
}
