import { useMemo, useRef, useState } from 'preact/hooks'
import type { TraceAnswer } from '../api.generated.ts'
import { useKeys } from '../keys.tsx'
import { FirstWrong, Outcome, Trouble, Waiting } from '../parts/bits.tsx'
import { useVirtual } from '../parts/virtual.ts'
import { formatRoute } from '../route.ts'
import { get } from '../server.ts'
import { go, route } from '../state.ts'
import { Plain } from '../text/rich.tsx'
import { loadTypesetter } from '../text/typeset.ts'
import { useAnswer } from '../use-answer.ts'
import { type Findings, firstWrong } from './findings.ts'
import { Folds } from './folds.ts'
import { TextSource } from './long-text.tsx'
import { parting } from './part.ts'
import { allFindings } from './people.ts'
import { ProblemView } from './problem.tsx'
import { StepView } from './step-view.tsx'

/** Two attempts at one problem beside each other: `#/compare/<at>/<at>`. */
export function ComparePage() {
  const [, a, b] = route.value.path.map(Number)
  const both = useAnswer(`compare ${a} ${b}`, async () => {
    const trace = (at = 0) => get('/api/traces/{at}', { path: { at } })
    const [left, right] = await Promise.all([trace(a), trace(b), loadTypesetter()])
    return [left, right] as const
  })
  if (both.refused !== null) return <Trouble refused={both.refused} />
  if (both.value === null || !both.fresh) return <Waiting />
  return <Compare key={`${a} ${b}`} left={both.value[0]} right={both.value[1]} />
}

function Compare({ left, right }: { left: TraceAnswer; right: TraceAnswer }) {
  const scroll = useRef<HTMLDivElement>(null)
  const parts = useMemo(() => parting(left.trace.steps, right.trace.steps), [left, right])
  const [cursor, setCursor] = useState(-1)
  const sides = useMemo(() => [left, right].map(sideOf), [left, right])
  const longest = Math.max(left.trace.steps.length, right.trace.steps.length)
  const virtual = useVirtual(scroll, {
    count: longest + 1,
    estimate: () => 120,
    overscan: longest < 100 ? longest : 5,
  })
  const move = (to: number): void => {
    const step = Math.min(Math.max(to, 0), longest - 1)
    setCursor(step)
    virtual.scrollToIndex(step + 1, { align: 'auto' })
  }
  useKeys('Two attempts', [
    { keys: ['j', 'ArrowDown'], does: 'next step', run: () => move(cursor + 1) },
    { keys: ['k', 'ArrowUp'], does: 'previous step', run: () => move(cursor - 1) },
    { keys: ['d'], does: 'where they part', run: () => parts.step !== null && move(parts.step) },
    { keys: ['x'], does: 'exchange left and right', run: () => go(['compare', right.row.at, left.row.at]) },
    { keys: ['Escape', 'u'], does: 'back to the left trace', run: () => go(['trace', left.row.at]) },
  ])
  return (
    <div class="compare">
      <header>
        <Side answer={left} />
        <Side answer={right} />
        <p role="status">
          {parts.step === null ? (
            'They are the same.'
          ) : (
            <button type="button" class="link" onClick={() => move(parts.step!)}>
              They part at step {parts.step + 1}
            </button>
          )}
        </p>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section ref={scroll} class="steps" tabIndex={0} aria-label="Steps of both">
        <div class="items" style={{ height: `${virtual.getTotalSize()}px` }}>
          {virtual.getVirtualItems().map((item) => {
            const index = item.index - 1
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                class="item"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {index < 0 ? (
                  <TextSource.Provider value={{ at: left.row.at, cuts: left.cuts, raw: false }}>
                    <ProblemView problem={left.trace.problem} images={left.images} />
                  </TextSource.Provider>
                ) : (
                  <>
                    {index === parts.step && (
                      <p class="parting">
                        Here they part{parts.after === '' ? '' : ', after '}
                        {parts.after !== '' && (
                          <q>
                            <Plain text={parts.after} />
                          </q>
                        )}
                      </p>
                    )}
                    <div class={parts.step === null || index < parts.step ? 'pair same' : 'pair'}>
                      {sides.map((side, i) => (
                        <Half
                          key={i === 0 ? 'left' : 'right'}
                          side={side}
                          index={index}
                          cursor={cursor}
                          onSelect={setCursor}
                        />
                      ))}
                    </div>
                  </>
                )}
              </div>
            )
          })}
        </div>
      </section>
    </div>
  )
}

function Side({ answer: { row, trace } }: { answer: TraceAnswer }) {
  return (
    <div>
      <a href={formatRoute(['trace', row.at])}>
        <Plain text={trace.id} />
      </a>{' '}
      <span class="soft">
        <Plain text={row.generator} />
      </span>{' '}
      <Outcome value={row.outcome} /> first wrong <FirstWrong value={firstWrong(trace) ?? row.gold} />
    </div>
  )
}

interface SideOf {
  answer: TraceAnswer
  found: Findings
  /** What is open stays open while the other half scrolls. */
  folds: Map<string, number>
}

function sideOf(answer: TraceAnswer): SideOf {
  return { answer, found: allFindings(answer.trace, answer.people), folds: new Map() }
}

interface HalfProps {
  side: SideOf
  index: number
  cursor: number
  onSelect: (step: number) => void
}

function Half({ side, index, cursor, onSelect }: HalfProps) {
  const { row, trace, cuts } = side.answer
  const step = trace.steps[index]
  if (step === undefined) return <p class="soft">{index === trace.steps.length ? 'ends here' : ''}</p>
  return (
    <TextSource.Provider value={{ at: row.at, cuts, raw: false }}>
      <Folds.Provider value={side.folds}>
        <StepView
          index={index}
          step={step}
          findings={side.found.steps[index]!}
          whole={side.found.whole}
          problem={trace.problem}
          risk={trace.verdict?.risk[index] ?? null}
          wrong={index === (firstWrong(trace) ?? row.gold)}
          current={index === cursor}
          agent={-1}
          onSelect={() => onSelect(index)}
        />
      </Folds.Provider>
    </TextSource.Provider>
  )
}
