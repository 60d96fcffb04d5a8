import type { Trace } from '../../core/words.ts'
import { goldOf } from '../../prove/cases.ts'

/** Verdicts against known first errors, counted. */
export interface AgainstGold {
  traces: number
  /** Traces with a known first error. */
  erroneous: { found: number; elsewhere: number; calledClean: number; cannotSay: number }
  /** Traces known to have none. */
  clean: { cleared: number; falseAlarm: number; cannotSay: number }
}

/** Traces whose first error is not known are not counted. */
export function againstGold(traces: readonly Trace[]): AgainstGold {
  const counts: AgainstGold = {
    traces: 0,
    erroneous: { found: 0, elsewhere: 0, calledClean: 0, cannotSay: 0 },
    clean: { cleared: 0, falseAlarm: 0, cannotSay: 0 },
  }
  for (const trace of traces) {
    const known = goldOf(trace)?.firstError ?? null
    if (known === null) continue
    const said = trace.verdict?.firstError ?? null
    counts.traces++
    if (known === -1) counts.clean[said === null ? 'cannotSay' : said === -1 ? 'cleared' : 'falseAlarm']++
    else
      counts.erroneous[
        said === null ? 'cannotSay' : said === -1 ? 'calledClean' : said === known ? 'found' : 'elsewhere'
      ]++
  }
  return counts
}
