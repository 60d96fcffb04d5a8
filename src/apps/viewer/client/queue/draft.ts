import type { Evidence } from '../../../../core/words.ts'

/** What a person says of a step; null = unsure. */
export type Opinion = Extract<Evidence, { kind: 'human' }>['verdict']

/** What one person has said of one trace so far; a step without an entry has not been looked at. */
export interface Said {
  opinions: readonly (Opinion | undefined)[]
  /** -1 = no wrong step; null = not said. */
  firstError: number | null
  note: string
}

export interface Draft extends Said {
  /** Earlier states, the latest last. */
  past: readonly Said[]
}

export function emptyDraft(steps: number): Draft {
  return { opinions: new Array<undefined>(steps).fill(undefined), firstError: null, note: '', past: [] }
}

/** Says one thing of one step. A first wrong step that is called anything but wrong is no longer the first wrong one. */
export function opine(draft: Draft, step: number, opinion: Opinion): Draft {
  const firstError = draft.firstError === step && opinion !== 'incorrect' ? null : draft.firstError
  const clean = draft.firstError === -1 && opinion === 'incorrect' ? null : firstError
  return change(draft, { opinions: draft.opinions.with(step, opinion), firstError: clean })
}

/** First wrong step; -1 = none is wrong. An earlier step that was called wrong cannot stay so. */
export function sayFirstError(draft: Draft, step: number): Draft {
  const opinions = draft.opinions.map((opinion, i) => {
    if (i === step) return 'incorrect'
    return (step < 0 || i < step) && opinion === 'incorrect' ? undefined : opinion
  })
  return change(draft, { opinions, firstError: step })
}

/** Changes of a note that follow one another are one change. */
export function takeNote(draft: Draft, note: string): Draft {
  const last = draft.past.at(-1)
  const typing = last !== undefined && last.opinions === draft.opinions && last.firstError === draft.firstError
  return typing ? { ...draft, note } : change(draft, { note })
}

export function undo(draft: Draft): Draft {
  const last = draft.past.at(-1)
  return last === undefined ? draft : { ...last, past: draft.past.slice(0, -1) }
}

/** Anything that is worth saving. */
export function hasSaid(said: Said): boolean {
  return said.firstError !== null || said.note.trim() !== '' || said.opinions.some((o) => o !== undefined)
}

function change(draft: Draft, to: Partial<Said>): Draft {
  const { past, ...now } = draft
  return { ...now, ...to, past: [...past, now] }
}
