import type { Step } from '../../../../core/words.ts'

/** Where two attempts at one problem stop being the same. */
export interface Parting {
  /** First step that differs; the length of the shorter one where it is a prefix of the other; null = equal. */
  step: number | null
  /** The last words that the two differing steps share; empty where they differ from the start. */
  after: string
}

/** Compares what was said and done; white space at the ends of a step says nothing. */
export function parting(a: readonly Step[], b: readonly Step[]): Parting {
  const until = Math.min(a.length, b.length)
  for (let i = 0; i < until; i++) {
    const [x, y] = [saying(a[i]!), saying(b[i]!)]
    if (x !== y) return { step: i, after: sharedEnd(a[i]!.text, b[i]!.text) }
  }
  return { step: a.length === b.length ? null : until, after: '' }
}

function saying(step: Step): string {
  return JSON.stringify([step.text.trim(), step.action?.tool, step.action?.input, step.observation?.trim()])
}

/** Characters of what is shared that are quoted. */
const QUOTED = 60

/** Ends at a word, so that the difference begins with a whole one. */
function sharedEnd(a: string, b: string): string {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  while (at > 0 && at < a.length && /\w/.test(a[at - 1]!)) at--
  const shared = a.slice(0, at).trim()
  return shared.length > QUOTED ? `…${shared.slice(-QUOTED)}` : shared
}
