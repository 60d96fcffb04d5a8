import type { Trace } from '../../core/words.ts'

/** Characters of one text that can be searched; what follows is bulk (base64, logs). */
const TEXT_CHARS = 50_000
/** Of one trace. */
const TRACE_CHARS = 2_000_000

/** Words of a question; FTS5 refuses deep expressions. */
const MOST_WORDS = 30

/** Everything of a trace that full-text search looks at: id, problem, answer, steps, tool calls and what came back. */
export function searchable(trace: Trace): string {
  const parts = [trace.id, trace.problem.prompt, trace.answer ?? '']
  for (const { text, action, observation } of trace.steps) {
    parts.push(text)
    if (action)
      parts.push(action.tool, typeof action.input === 'string' ? action.input : (JSON.stringify(action.input) ?? ''))
    if (observation !== undefined) parts.push(observation)
  }
  return parts
    .map((part) => (part.length > TEXT_CHARS ? part.slice(0, TEXT_CHARS) : part))
    .join('\n')
    .slice(0, TRACE_CHARS)
}

/**
 * What a person typed as an FTS5 expression: all words must occur, the last may be the beginning of one unless white
 * space follows it. Words end where FTS5's `unicode61` ends them. null where there is no word.
 */
export function matchOf(typed: string): string | null {
  const all = typed.match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu)
  if (all === null) return null
  const words = all.slice(0, MOST_WORDS)
  const whole = all.length > MOST_WORDS || /[^\p{L}\p{N}\p{M}\p{Co}]$/u.test(typed)
  return words.map((w, i) => `"${w}"${i === words.length - 1 && !whole ? '*' : ''}`).join(' AND ')
}
