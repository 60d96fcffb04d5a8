import { describePlace } from '../../../core/errors.ts'
import { leftOut, type ReadReport } from '../../../io/read.ts'
import { count } from './style.ts'

/** Records of a file that are named; the rest is counted. */
const NAMED = 3

/** A line for the first records that were left out of each file, and one for the others. */
export function leftOutLines(reports: readonly ReadReport[]): string[] {
  return reports.flatMap((r) => [
    ...r.rejected.slice(0, NAMED).map((e) => `left out  ${describePlace(e.where)}  ${e.code} ${e.found ?? ''}`),
    ...(r.rejected.length > NAMED ? [`left out  ${count(leftOut(r) - NAMED)} more of ${r.file}`] : []),
  ])
}
