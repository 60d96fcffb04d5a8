import type { Trace } from '../../core/words.ts'
import type { Finding } from './verifier.ts'
import { UNKNOWN } from './verifier.ts'

/** One statement of a step that was checked against the replay; `null` = seen, but not decidable. */
export interface Claim {
  /** What the step says, in the replay's own words. */
  says: string
  holds: boolean | null
  /** What the replay has instead, a plain sentence; present where `holds` is false. */
  instead?: string
  /** Only copies or lays out the problem: where such a claim is false the step is left undecided, see `judge`. */
  restates?: true
}

/**
 * Verdict of one step from its claims: one false claim makes it wrong, one true and none false right.
 *
 * A false restatement of the problem is told in the reason, but not judged, and the replay ends there: what follows
 * solves another problem. (In BIG-Bench-Mistake no label is 0, and traces whose first step copies or lays out the
 * problem wrongly are labelled as free of mistakes, so such labels cannot confirm a verdict either way.)
 */
export function judge(claims: readonly Claim[], nothing: string): Finding {
  const wrong = claims.find((c) => c.holds === false && !c.restates)
  if (wrong) return { verdict: 'incorrect', reason: wrong.instead ?? `not so: ${wrong.says}`, detail: claims }
  const misstated = claims.find((c) => c.holds === false)
  if (misstated) {
    return { verdict: 'unknown', reason: `${MISSTATES}${misstated.instead ?? misstated.says}`, detail: claims }
  }
  const right = claims.filter((c) => c.holds)
  const open = claims.find((c) => c.holds === null)
  if (right.length === 0) return open ? { ...UNKNOWN(`undecided: ${open.says}`), detail: claims } : UNKNOWN(nothing)
  const shown = right.slice(0, CLAIMS_SHOWN).map((c) => c.says)
  const more = right.length > shown.length ? ` and ${right.length - shown.length} more` : ''
  return { verdict: 'correct', reason: `replayed: ${shown.join('; ')}${more}`, detail: claims }
}

const MISSTATES = 'restates the problem differently: '

/** Claims written out in a reason; all of them are in `detail`. */
const CLAIMS_SHOWN = 3

/**
 * Replays a trace step by step up to its first wrong or misstated step.
 *
 * What follows stands on a state that is no longer the procedure's, so it is left undecided.
 */
export function replaySteps(trace: Trace, check: (text: string) => Finding): Finding[] {
  let ended: string | null = null
  return trace.steps.map((step, i) => {
    if (ended !== null) return UNKNOWN(ended)
    const finding = check(step.text.slice(0, STEP_CHARS))
    ended = endingOf(finding, i)
    return finding
  })
}

/** `replaySteps` for checks that wait for a solver. */
export async function replayStepsAsync(trace: Trace, check: (text: string) => Promise<Finding>): Promise<Finding[]> {
  let ended: string | null = null
  const findings: Finding[] = []
  for (const [i, step] of trace.steps.entries()) {
    const finding: Finding = ended === null ? await check(step.text.slice(0, STEP_CHARS)) : UNKNOWN(ended)
    ended ??= endingOf(finding, i)
    findings.push(finding)
  }
  return findings
}

function endingOf(finding: Finding, step: number): string | null {
  if (finding.verdict === 'incorrect') return `follows the wrong step ${step}`
  return finding.reason.startsWith(MISSTATES) ? `follows step ${step}, which restates the problem differently` : null
}

/** Text of one step that is parsed, characters: ten times the longest step of BIG-Bench-Mistake. */
const STEP_CHARS = 40_000

/** "a", "a and b", "a, b and c". */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
}

/** The line after "the answer is", where the step gives one; empty where it gives an empty one. */
export function statedAnswer(text: string): string | null {
  const m = /\banswer(?:\s+is|\s*[:=])(?:\s*:)?[^\S\n]*(?:\n\s*)?([^\n]*)/i.exec(text)
  return m ? (m[1] ?? '').trim() : null
}
