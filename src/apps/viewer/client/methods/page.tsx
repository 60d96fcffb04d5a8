import { useRef } from 'preact/hooks'
import type { MethodsAnswer } from '../api.generated.ts'
import { useKeys } from '../keys.tsx'
import { Trouble, Waiting } from '../parts/bits.tsx'
import { counted } from '../parts/words.ts'
import { get } from '../server.ts'
import { go, route } from '../state.ts'
import { useAnswer } from '../use-answer.ts'

type Method = MethodsAnswer['rooms'][number]['methods'][number]
type Paper = MethodsAnswer['papers'][number]

/** Everything that Gradus can do, and what became of each paper: `#/methods?q=<words>`. */
export function MethodsPage() {
  const methods = useAnswer('methods', () => get('/api/methods', {}))
  const field = useRef<HTMLInputElement>(null)
  const q = route.value.query['q'] ?? ''
  useKeys('Methods', [{ keys: ['/'], does: 'search methods', run: () => field.current?.select() }])
  if (methods.refused !== null) return <Trouble refused={methods.refused} />
  if (methods.value === null) return <Waiting />
  const { rooms, papers } = methods.value
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (text: string): boolean => words.every((w) => text.toLowerCase().includes(w))
  return (
    <div class="page">
      <h1>Methods</h1>
      <input
        ref={field}
        type="search"
        value={q}
        placeholder="Search names, summaries, papers   ( / )"
        aria-label="Search methods"
        onInput={(e) => go(['methods'], { q: e.currentTarget.value }, 'replace')}
      />
      {rooms.map((room) => {
        const shown = room.methods.filter((m) => fits(`${m.name} ${m.summary} ${m.paper ?? ''} ${room.name}`))
        if (shown.length === 0) return null
        return (
          <section key={room.name}>
            <h2>
              {room.name} <span class="soft">{room.question}</span>
            </h2>
            <table class="methods">
              <tbody>
                {shown.map((m) => (
                  <MethodRow key={m.name} method={m} papers={papers.filter((p) => p.paper === m.paper)} />
                ))}
              </tbody>
            </table>
          </section>
        )
      })}
      <Papers papers={papers.filter((p) => fits(`${p.paper} ${p.title} ${p.claim} ${p.outcome}`))} />
    </div>
  )
}

function MethodRow({ method: m, papers }: { method: Method; papers: readonly Paper[] }) {
  return (
    <tr>
      <th scope="row">
        <code>{m.name}</code>
      </th>
      <td>
        {m.summary}
        {m.covers !== null && <p class="soft">{m.covers}</p>}
        {m.trust !== null && <p class="soft">{m.trust}</p>}
        {m.options.length > 0 && (
          <details>
            <summary>{counted(m.options.length, 'option')}</summary>
            <dl class="options">
              {m.options.map((o) => (
                <div key={o.name}>
                  <dt>
                    <code>{o.name}</code>
                  </dt>
                  <dd>
                    {o.description}
                    {o.default !== null && <span class="soft"> default {o.default}</span>}
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </td>
      <td>
        {m.paper !== null && (
          <>
            {m.paper}{' '}
            {papers.map((p) => (
              <Outcome key={p.title} outcome={p.outcome} />
            ))}
          </>
        )}
      </td>
    </tr>
  )
}

const SIGNS: Record<Paper['outcome'], string> = { holds: '✓', partly: '~', fails: '✗', 'not testable offline': '–' }

function Outcome({ outcome }: { outcome: Paper['outcome'] }) {
  return (
    <span class={`replicated ${outcome.split(' ')[0]}`}>
      <span aria-hidden="true">{SIGNS[outcome]}</span> {outcome}
    </span>
  )
}

function Papers({ papers }: { papers: readonly Paper[] }) {
  if (papers.length === 0) return null
  return (
    <section>
      <h2>
        papers <span class="soft">what became of each claim when it was replicated</span>
      </h2>
      <table class="methods">
        <tbody>
          {papers.map((p) => (
            <tr key={`${p.paper} ${p.title}`}>
              <th scope="row">{p.paper}</th>
              <td>
                <b>{p.title}</b>
                <p>{p.claim}</p>
                <p class="soft">
                  {p.because} Fails if {p.failsIf}
                </p>
              </td>
              <td>
                <Outcome outcome={p.outcome} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
