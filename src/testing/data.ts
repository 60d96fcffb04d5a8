import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Folder of the public data sets; empty where it is not there (see `gradus data`). */
export const DATA = process.env.GRADUS_DATA ?? ''

/** Path of a file in it. */
export function dataFile(...parts: string[]): string {
  return join(DATA, ...parts)
}

/** For `describe.skipIf(noData('processbench'))`: the set is absent, and the suite's name says so. */
export function noData(set: string): boolean {
  return DATA === '' || !existsSync(join(DATA, set))
}
