import { useRef, useState } from 'preact/hooks'
import type { Given, QueueAgreement, TraceAnswer } from '../api.generated.ts'
import { Trouble, Waiting } from '../parts/bits.tsx'
import { get, post, Refused } from '../server.ts'
import { go, route, session } from '../state.ts'
import { Plain } from '../text/rich.tsx'
import { loadTypesetter } from '../text/typeset.ts'
import { useAnswer } from '../use-answer.ts'
import { type Draft, emptyDraft, hasSaid, undo } from './draft.ts'
import { DraftSummary, LabelSteps, useLabelKeys } from './label-steps.tsx'
import { PersonForm, person } from './person.tsx'

/** One trace on which people differ, with what each said: `#/adjudicate/<at>`. */
export function AdjudicatePage() {
  const at = Number(route.value.path[1])
  const both = useAnswer(`adjudicate ${at}`, async () => {
    const [trace, agreement] = await Promise.all([
      get('/api/traces/{at}', { path: { at } }),
      get('/api/queue/agreement', {}),
      loadTypesetter(),
    ])
    return { trace, said: agreement.items.find((i) => i.at === at)?.said ?? [] }
  })
  const who = session.value?.person ?? person.value
  if (both.refused !== null) return <Trouble refused={both.refused} />
  if (both.value === null || !both.fresh || session.value === null) return <Waiting />
  if (who === '') return <PersonForm />
  return <Adjudicate key={at} who={who} answer={both.value.trace} said={both.value.said} />
}

function Adjudicate({ who, answer: item, said }: { who: string; answer: TraceAnswer; said: readonly Given[] }) {
  const at = item.row.at
  const [draft, setDraft] = useState(() => agreedDraft(item.trace.steps.length, said))
  const [cursor, setCursor] = useState(() => Math.max(0, draft.labels.indexOf(null)))
  const [refused, setRefused] = useState<Refused | null>(null)
  const note = useRef<HTMLTextAreaElement>(null)
  const shown = { at, trace: item.trace, cuts: item.cuts, images: item.images }
  const save = async (): Promise<void> => {
    if (!hasSaid(draft)) return
    const body = { person: who, at, labels: [...draft.labels], firstError: draft.firstError, note: draft.note }
    try {
      next(await post('/api/queue/adjudicate', body), at)
    } catch (error) {
      setRefused(error instanceof Refused ? error : new Refused('page', String(error), []))
    }
  }
  useLabelKeys({ item: shown, draft, change: setDraft, cursor, setCursor }, note, [
    { keys: ['z'], does: 'undo', run: () => setDraft(undo(draft)) },
    { keys: ['Enter'], does: 'decide and go on', run: () => void save() },
    { keys: ['Escape'], does: 'back to agreement', run: () => go(['agreement']) },
  ])
  return (
    <div class="trace-page labelling" data-trace={at}>
      <LabelSteps item={shown} draft={draft} change={setDraft} cursor={cursor} setCursor={setCursor} said={said} />
      <aside class="sidebar" aria-label="Adjudication">
        <h2>Adjudication</h2>
        <p class="soft">
          <Plain text={who} /> decides. Steps on which all agree are filled in.
        </p>
        {said.map((g) => (
          <p key={g.person} class="said-by">
            <b>
              <Plain text={g.person} />
            </b>{' '}
            {g.firstError === null ? 'names no step' : g.firstError < 0 ? 'no wrong step' : `step ${g.firstError + 1}`}
            {g.note !== '' && (
              <>
                : <Plain text={g.note} />
              </>
            )}
          </p>
        ))}
        {refused !== null && <Trouble refused={refused} />}
        <DraftSummary draft={draft} change={setDraft} note={note} />
        <p class="buttons">
          <button type="button" class="main" disabled={!hasSaid(draft)} onClick={() => void save()}>
            Decide <kbd>Enter</kbd>
          </button>
        </p>
      </aside>
    </div>
  )
}

/** On to the next trace that wants a decision. */
function next(agreement: QueueAgreement, done: number): void {
  const open = agreement.items.find((i) => i.differs && i.adjudicated === null && i.at !== done)
  if (open === undefined) go(['agreement'])
  else go(['adjudicate', open.at])
}

/** What everybody said alike. */
function agreedDraft(steps: number, said: readonly Given[]): Draft {
  const same = <T,>(values: readonly T[]): T | null =>
    values.length > 0 && values.every((v) => v === values[0]) ? values[0]! : null
  const empty = emptyDraft(steps)
  return {
    ...empty,
    labels: empty.labels.map((_, step) => same(said.map((g) => g.labels[step] ?? null))),
    firstError: same(said.map((g) => g.firstError)),
  }
}
