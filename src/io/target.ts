import { unlinkSync } from 'node:fs'
import { realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GradusError } from '../core/errors.ts'

/** Where an output is written until it is whole. */
export interface Target {
  /** The name to write to. */
  name: string
  /** Gives the file its final name. */
  commit(): Promise<void>
  /** Removes what was written. */
  discard(): Promise<void>
}

const unfinished = new Set<string>()

/**
 * A temporary name beside the output, so that a half-written file never has the final name. Links are followed;
 * devices and pipes are written to as they are, since a rename would put a file in their place.
 * @throws GradusError GRD-IO-013 for a folder, and for a name that is being written already
 */
export async function targetOf(path: string): Promise<Target> {
  const info = await stat(path).catch(() => null)
  if (info?.isDirectory()) {
    throw new GradusError('GRD-IO-013', {
      where: { file: path },
      found: 'a folder',
      expected: 'the name of a file',
      try: [join(path, 'labelled.jsonl')],
    })
  }
  if (info && !info.isFile()) {
    const nothing = async (): Promise<void> => {}
    return { name: path, commit: nothing, discard: nothing }
  }
  const final = info ? await realpath(path) : path
  const name = `${final}.${process.pid}.tmp`
  if (unfinished.has(name)) {
    throw new GradusError('GRD-IO-013', {
      where: { file: path },
      found: 'two outputs with this name',
      expected: 'a name for each',
    })
  }
  unfinished.add(name)
  return {
    name,
    async commit() {
      await rename(name, final).catch((cause) => {
        throw cannotWrite(path, cause)
      })
      unfinished.delete(name)
    },
    async discard() {
      await unlink(name).catch(() => {})
      unfinished.delete(name)
    },
  }
}

/** Removes everything unfinished at once: for a process that is about to end. */
export function discardUnfinished(): void {
  for (const name of unfinished) {
    try {
      unlinkSync(name)
    } catch {
      // Not made yet, or gone already.
    }
  }
  unfinished.clear()
}

/** @throws GradusError GRD-IO-013 where the output is one of the inputs: records that are left out would be lost */
export async function refuseInputAsOutput(inputs: readonly string[], output: string | undefined): Promise<void> {
  const to = output === undefined || output === '-' ? null : await stat(output).catch(() => null)
  if (!to?.isFile()) return
  for (const input of inputs) {
    const from = await stat(input).catch(() => null)
    if (from?.dev !== to.dev || from.ino !== to.ino) continue
    throw new GradusError('GRD-IO-013', {
      where: { file: String(output) },
      found: 'also an input',
      expected: 'another name: records that cannot be read would be lost',
    })
  }
}

/** What the system said about a write, as ours. */
export function cannotWrite(path: string, cause: Error): GradusError {
  const code = 'code' in cause ? cause.code : undefined
  const where = { file: path }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new GradusError('GRD-IO-014', {
      where,
      found: 'the disk is full',
      try: ['another place, or free some space; nothing half-written was left'],
      cause,
    })
  }
  if (code === 'ENOENT') {
    return new GradusError('GRD-IO-013', { where, found: 'no such folder', try: [`mkdir -p ${dirname(path)}`], cause })
  }
  const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
  return new GradusError('GRD-IO-013', { where, found: denied ? 'no permission to write there' : cause.message, cause })
}
