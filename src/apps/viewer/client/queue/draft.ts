import type { Given } from '../api.generated.ts'

/** What a person says of a step; `unsure` = looked at, cannot say. */
export type Opinion = NonNullable<Given['labels'][number]>

/** What one person has said of one trace so far. */
export interface Said {
  /** One entry a step; null = not looked at. */
  labels: readonly (Opinion | null)[]
  /** -1 = no wrong step; null = not said. */
  firstError: number | null
  note: string
}

export interface Draft extends Said {
  /** Earlier states, the latest last. */
  past: readonly Said[]
}

export function emptyDraft(steps: number): Draft {
  return { labels: new Array<null>(steps).fill(null), firstError: null, note: '', past: [] }
}

/** Goes on from what the server has of this person; a trace that was cut anew since then starts afresh. */
export function resume(steps: number, mine: Said | null): Draft {
  if (mine === null || mine.labels.length !== steps) return emptyDraft(steps)
  return { labels: mine.labels, firstError: mine.firstError, note: mine.note, past: [] }
}

/** Says one thing of one step. A first wrong step that is called anything but wrong is no longer the first wrong one. */
export function opine(draft: Draft, step: number, opinion: Opinion): Draft {
  const firstError = draft.firstError === step && opinion !== 'incorrect' ? null : draft.firstError
  const clean = draft.firstError === -1 && opinion === 'incorrect' ? null : firstError
  return change(draft, { labels: draft.labels.with(step, opinion), firstError: clean })
}

/** First wrong step; -1 = none is wrong. An earlier step that was called wrong cannot stay so. */
export function sayFirstError(draft: Draft, step: number): Draft {
  const labels = draft.labels.map((label, i) => {
    if (i === step) return 'incorrect'
    return (step < 0 || i < step) && label === 'incorrect' ? null : label
  })
  return change(draft, { labels, firstError: step })
}

/** Changes of a note that follow one another are one change. */
export function takeNote(draft: Draft, note: string): Draft {
  const last = draft.past.at(-1)
  const typing = last !== undefined && last.labels === draft.labels && last.firstError === draft.firstError
  return typing ? { ...draft, note } : change(draft, { note })
}

export function undo(draft: Draft): Draft {
  const last = draft.past.at(-1)
  return last === undefined ? draft : { ...last, past: draft.past.slice(0, -1) }
}

/** Anything that is worth saving. */
export function hasSaid(said: Said): boolean {
  return said.firstError !== null || said.note.trim() !== '' || said.labels.some((o) => o !== null)
}

function change(draft: Draft, to: Partial<Said>): Draft {
  const { past, ...now } = draft
  return { ...now, ...to, past: [...past, now] }
}
