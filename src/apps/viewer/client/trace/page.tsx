import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { TraceAnswer } from '../api.generated.ts'
import { readQuery, writeQuery } from '../dataset/list-query.ts'
import { useKeys } from '../keys.tsx'
import { Trouble, Waiting } from '../parts/bits.tsx'
import { useVirtual } from '../parts/virtual.ts'
import { get } from '../server.ts'
import { go, lastList, route, session } from '../state.ts'
import { loadTypesetter } from '../text/typeset.ts'
import { useAnswer } from '../use-answer.ts'
import { firstWrong } from './findings.ts'
import { Folds } from './folds.ts'
import { TextSource } from './long-text.tsx'
import { StepMap } from './map.tsx'
import { allFindings } from './people.ts'
import { ProblemView } from './problem.tsx'
import { Sidebar } from './sidebar.tsx'
import { StepView } from './step-view.tsx'

/** Up to here all steps are in the page, so that the browser's own search and printing see them. */
const ALL_STEPS = 120

/** One trace: `#/trace/<at>?step=<index>`. */
export function TracePage() {
  const at = Number(route.value.path[1])
  const version = session.value?.version ?? 0
  const trace = useAnswer(`trace ${at} ${version}`, async () => {
    const [answered] = await Promise.all([get('/api/traces/{at}', { path: { at } }), loadTypesetter()])
    return answered
  })
  if (trace.refused !== null) return <Trouble refused={trace.refused} />
  // A version of the same trace may be late; another trace is not shown under this address.
  if (trace.value === null || trace.value.row.at !== at) return <Waiting />
  return <TraceView key={at} answer={trace.value} />
}

/** The trace before or after this one in the list that the reader came from; without a list, in its file. */
async function neighbour(by: 1 | -1): Promise<void> {
  const { path, query } = route.peek()
  if (query['pos'] === undefined) {
    const at = Number(path[1]) + by
    if (at >= 0 && (await get('/api/traces/{at}', { path: { at } }).catch(() => null)) !== null) go(['trace', at])
    return
  }
  const pos = Number(query['pos']) + by
  if (pos < 0) return
  const list = writeQuery(readQuery(lastList.peek()))
  const { rows } = await get('/api/traces', { query: { ...list, offset: pos, limit: 1 } })
  if (rows[0] !== undefined) go(['trace', rows[0].at], { pos })
}

function TraceView({ answer: { row, trace, cuts, people, images } }: { answer: TraceAnswer }) {
  const at = row.at
  const scroll = useRef<HTMLDivElement>(null)
  const found = useMemo(() => allFindings(trace, people), [trace, people])
  const first = firstWrong(trace) ?? row.gold
  const agents = useMemo(() => agentsOf(trace.steps), [trace])
  const asked = Number(route.value.query['step'] ?? Number.NaN)
  const [cursor, setCursor] = useState(Number.isInteger(asked) ? Math.min(asked, trace.steps.length - 1) : -1)
  const [raw, setRaw] = useState(false)
  const [agent, setAgent] = useState<string | null>(null)
  const folds = useMemo(() => new Map<string, number>(), [at])
  const shown = useMemo(
    () => trace.steps.flatMap((s, i) => (agent === null || (s.agent ?? '') === agent ? [i] : [])),
    [trace, agent],
  )
  const virtual = useVirtual(scroll, {
    // Entry 0 is the problem.
    count: shown.length + 1,
    estimate: (i) => (i === 0 ? 160 : estimate(trace.steps[shown[i - 1]!]!)),
    overscan: shown.length <= ALL_STEPS ? ALL_STEPS : 5,
    itemKey: (i) => (i === 0 ? 'problem' : shown[i - 1]!),
  })

  const select = (step: number): void => {
    const to = Math.min(Math.max(step, 0), trace.steps.length - 1)
    setCursor(to)
    const place = shown.indexOf(to)
    if (place >= 0) virtual.scrollToIndex(place + 1, { align: tall(virtual, place + 1) ? 'start' : 'auto' })
    go(['trace', at], { ...route.peek().query, step: to }, 'replace')
  }
  const move = (by: number): void => {
    const place = shown.indexOf(cursor)
    const to = shown[place < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(place + by, 0), shown.length - 1)]
    if (to !== undefined) select(to)
  }
  const toggleEvidence = (): void => {
    scroll.current?.querySelector<HTMLElement>(`#step-${cursor} .why > summary`)?.click()
  }
  useLayoutEffect(() => {
    if (cursor >= 0) virtual.scrollToIndex(shown.indexOf(cursor) + 1, { align: 'start' })
    scroll.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    if (Number.isInteger(asked) && asked !== cursor) select(asked)
  }, [asked])
  useKeys('Trace', [
    { keys: ['j', 'ArrowDown'], does: 'next step', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous step', run: () => move(-1) },
    { keys: ['f'], does: 'first wrong step', run: () => first !== null && first >= 0 && select(first) },
    { keys: ['e'], does: 'evidence for the step', run: toggleEvidence },
    { keys: ['n'], does: 'next trace of the list', run: () => void neighbour(1) },
    { keys: ['p'], does: 'previous trace of the list', run: () => void neighbour(-1) },
    { keys: ['r'], does: 'text as it is, or typeset', run: () => setRaw(!raw) },
    { keys: ['l'], does: 'label this trace', run: () => go(['queue'], { at }) },
    { keys: ['Escape', 'u'], does: 'back to the list', run: () => go(['traces'], lastList.peek()) },
  ])

  const risk = trace.verdict?.risk ?? []
  return (
    <TextSource.Provider value={{ at, cuts, raw }}>
      <Folds.Provider value={folds}>
        <div class="trace-page" data-trace={at}>
          <StepMap risk={risk} steps={trace.steps.length} first={first} cursor={cursor} onSelect={select} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
          <section ref={scroll} class="steps" tabIndex={0} aria-label="Steps">
            <div class="items" style={{ height: `${virtual.getTotalSize()}px` }}>
              {virtual.getVirtualItems().map((item) => {
                const index = item.index === 0 ? -1 : shown[item.index - 1]!
                const step = trace.steps[index]
                return (
                  <div
                    key={item.key}
                    id={index < 0 ? undefined : `step-${index}`}
                    ref={virtual.measureElement}
                    data-index={item.index}
                    class="item"
                    style={{ transform: `translateY(${item.start}px)` }}
                  >
                    {step === undefined ? (
                      <ProblemView problem={trace.problem} images={images} />
                    ) : (
                      <StepView
                        index={index}
                        step={step}
                        findings={found.steps[index]!}
                        whole={found.whole}
                        problem={trace.problem}
                        risk={risk[index] ?? null}
                        wrong={index === first}
                        current={index === cursor}
                        agent={agents.length > 1 ? agents.findIndex((a) => a.name === (step.agent ?? '')) : -1}
                        onSelect={() => index !== cursor && setCursor(index)}
                      />
                    )}
                  </div>
                )
              })}
            </div>
          </section>
          <Sidebar
            row={row}
            trace={trace}
            found={found}
            first={first}
            agents={agents}
            agent={agent}
            setAgent={setAgent}
            select={select}
          />
        </div>
      </Folds.Provider>
    </TextSource.Provider>
  )
}

/** A step that does not fit into sight is read from its start. */
function tall(virtual: ReturnType<typeof useVirtual>, index: number): boolean {
  const size = virtual.measurementsCache[index]?.size ?? 0
  return size > (virtual.scrollRect?.height ?? 0) * 0.9
}

interface Agent {
  name: string
  steps: number
}

/** Who speaks how often, in order of first appearance. */
function agentsOf(steps: TraceAnswer['trace']['steps']): Agent[] {
  const seen = new Map<string, number>()
  for (const { agent = '' } of steps) seen.set(agent, (seen.get(agent) ?? 0) + 1)
  return Array.from(seen, ([name, n]) => ({ name, steps: n }))
}

/** A first guess of a step's height; it is measured once it is drawn. */
function estimate(step: TraceAnswer['trace']['steps'][number]): number {
  const lines = Math.ceil(Math.min(step.text.length, 6_000) / 90)
  return 48 + lines * 20 + (step.action === undefined ? 0 : 30) + (step.observation === undefined ? 0 : 30)
}
