import { useEffect, useRef, useState } from 'preact/hooks'
import type { Queue } from '../api.generated.ts'
import { Empty, Trouble, Waiting } from '../parts/bits.tsx'
import { count } from '../parts/words.ts'
import { formatRoute } from '../route.ts'
import { get, post, Refused } from '../server.ts'
import { go, route, session } from '../state.ts'
import { Plain, Rich } from '../text/rich.tsx'
import { loadTypesetter } from '../text/typeset.ts'
import { type Draft, hasSaid, resume, undo } from './draft.ts'
import { DraftSummary, LabelSteps, OPINIONS, useLabelKeys } from './label-steps.tsx'
import { PersonForm, person } from './person.tsx'
import { type Saved, Saver, unsent } from './save.ts'

/** The label queue: `#/queue`, or a certain trace: `#/queue?at=<at>`. */
export function QueuePage() {
  const [queue, setQueue] = useState<Queue | null>(null)
  const [refused, setRefused] = useState<Refused | null>(null)
  const who = session.value?.person ?? person.value
  const asked = route.value.query['at']
  const ask = (request: Promise<Queue>): void => {
    request.then(
      (now) => {
        setQueue(now)
        setRefused(null)
      },
      (error: unknown) => setRefused(error instanceof Refused ? error : new Refused('page', String(error), [])),
    )
  }
  useEffect(() => {
    if (who === '') return
    void loadTypesetter()
    ask(opened(who, asked === undefined ? null : Number(asked)))
  }, [who, asked])

  if (session.value === null) return <Waiting />
  if (who === '') return <PersonForm />
  if (refused !== null) return <Trouble refused={refused} />
  if (queue === null) return <Waiting />
  const { item } = queue
  if (item === null) return <NothingLeft queue={queue} who={who} ask={ask} />
  return (
    <Labelling
      key={`${item.at} ${item.mine?.time ?? ''}`}
      who={who}
      queue={queue}
      item={item}
      next={(now) => {
        if (asked !== undefined) go(['queue'], {}, 'replace')
        setQueue(now)
      }}
      ask={ask}
    />
  )
}

/** Where this person stands; takes a trace where none is held. */
async function opened(who: string, at: number | null): Promise<Queue> {
  const now = await get('/api/queue', { query: { person: who } })
  if (at === null ? now.item !== null : now.item?.at === at) return now
  return await post('/api/queue/take', at === null ? { person: who } : { person: who, at })
}

interface LabellingProps {
  who: string
  queue: Queue
  item: NonNullable<Queue['item']>
  next: (queue: Queue) => void
  ask: (request: Promise<Queue>) => void
}

function Labelling({ who, queue, item, next, ask }: LabellingProps) {
  const steps = item.trace.steps.length
  const [draft, setDraft] = useState(() => resume(steps, unsent(who, item.at) ?? item.mine))
  const [cursor, setCursor] = useState(() => Math.max(0, draft.labels.indexOf(null)))
  const [saved, setSaved] = useState<Saved>('saved')
  const [refused, setRefused] = useState<Refused | null>(null)
  const note = useRef<HTMLTextAreaElement>(null)
  const [saver] = useState(
    () =>
      new Saver(who, item.at, (now, problem) => {
        setSaved(now)
        setRefused(problem)
      }),
  )
  useEffect(() => {
    if (unsent(who, item.at) !== null) saver.save(draft, 'draft', () => undefined)
    return () => saver.close()
  }, [])
  const change = (to: Draft): void => {
    setDraft(to)
    saver.save(to, 'draft', () => undefined)
  }
  const finish = (state: 'done' | 'skipped'): void => {
    if (state === 'done' && !hasSaid(draft)) return
    saver.save(draft, state, next)
  }
  const takeBack = (): void => {
    if (draft.past.length > 0) change(undo(draft))
    else if (queue.canUndo) ask(post('/api/queue/undo', { person: who }))
  }
  useLabelKeys({ item, draft, change, cursor, setCursor }, note, [
    { keys: ['z'], does: 'undo; at the start, take the last trace back', run: takeBack },
    { keys: ['s'], does: 'skip this trace', run: () => finish('skipped') },
    { keys: ['Enter'], does: 'save and go on', run: () => finish('done') },
  ])
  return (
    <div class="trace-page labelling" data-trace={item.at}>
      <LabelSteps item={item} draft={draft} change={change} cursor={cursor} setCursor={setCursor} said={[]} />
      <aside class="sidebar" aria-label="Label queue">
        <h2>
          {count(queue.done)} done, {count(queue.left)} left
        </h2>
        <Progress done={queue.done} left={queue.left} />
        <p class="soft">
          <Plain text={who} />
          {queue.each > 1 ? ` · ${queue.each} people a trace` : ''} · <SavedState saved={saved} />
        </p>
        {refused !== null && refused.code !== 'offline' && <Trouble refused={refused} />}
        <DraftSummary draft={draft} change={change} note={note} />
        <p class="buttons">
          <button type="button" class="main" disabled={!hasSaid(draft)} onClick={() => finish('done')}>
            Save <kbd>Enter</kbd>
          </button>
          <button type="button" onClick={() => finish('skipped')}>
            Skip <kbd>s</kbd>
          </button>
          <button type="button" disabled={draft.past.length === 0 && !queue.canUndo} onClick={takeBack}>
            Undo <kbd>z</kbd>
          </button>
        </p>
        <Instructions text={queue.instructions} />
        <LabelKeys />
        <Locks queue={queue} who={who} />
        <QueueLinks />
      </aside>
    </div>
  )
}

function SavedState({ saved }: { saved: Saved }) {
  const words = { saved: 'saved', saving: 'saving …', unsaved: 'not saved yet, kept in this browser' }
  return (
    <span role="status" class={saved === 'unsaved' ? 'bad' : ''}>
      {words[saved]}
    </span>
  )
}

function Progress({ done, left }: { done: number; left: number }) {
  return <progress value={done} max={Math.max(1, done + left)} aria-label="Traces labelled" />
}

function Instructions({ text }: { text: string | null }) {
  return (
    <details open>
      <summary>Instructions</summary>
      {text === null ? (
        <p class="soft">
          Judge each step by itself: is it right, given what stands before it? Then say which step is the first wrong
          one. A step that follows correctly from an earlier mistake is not a first mistake.
        </p>
      ) : (
        <Rich text={text} />
      )}
    </details>
  )
}

function LabelKeys() {
  const others = [
    ['e', 'first wrong step'],
    ['c', 'none is wrong'],
    ['j', 'next step'],
    ['k', 'previous step'],
    ['F1', 'all keys'],
  ]
  return (
    <dl class="key-list">
      {[...OPINIONS.map(({ key, name }) => [key, name]), ...others].map(([key, name]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{name}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Others at work now, so that two people can talk. */
function Locks({ queue, who }: { queue: Queue; who: string }) {
  const others = [...new Set(queue.locks.map((l) => l.person))].filter((p) => p !== who)
  if (others.length === 0) return null
  return (
    <p class="soft">
      at work too: <Plain text={others.join(', ')} />
    </p>
  )
}

function QueueLinks() {
  const [invitation, setInvitation] = useState('')
  const invite = async (): Promise<void> => setInvitation((await post('/api/invite', {})).url)
  return (
    <>
      <p class="buttons">
        <a class="button" href={formatRoute(['agreement'])}>
          Agreement
        </a>
        <a class="button" href="/api/queue/export" download="labels.jsonl">
          Export
        </a>
        <button type="button" onClick={() => void invite()}>
          Invite
        </button>
      </p>
      {invitation !== '' && (
        <p class="soft">
          This address lets one more browser in, once: <code class="tex">{invitation}</code>
        </p>
      )}
    </>
  )
}

interface NothingLeftProps {
  queue: Queue
  who: string
  ask: (request: Promise<Queue>) => void
}

function NothingLeft({ queue, who, ask }: NothingLeftProps) {
  return (
    <div class="page">
      <h1>Label queue</h1>
      <Empty>
        {queue.left > 0
          ? `The ${count(queue.left)} traces that are left are with others now.`
          : `Nothing is left for ${who}: ${count(queue.done)} traces are done.`}
      </Empty>
      <p class="buttons">
        {queue.canUndo && (
          <button type="button" onClick={() => ask(post('/api/queue/undo', { person: who }))}>
            Take the last one back
          </button>
        )}
      </p>
      <QueueLinks />
    </div>
  )
}
