import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Cut, Given, Trace } from '../api.generated.ts'
import { type Binding, useKeys } from '../keys.tsx'
import { useVirtual } from '../parts/virtual.ts'
import { Plain } from '../text/rich.tsx'
import { Folds } from '../trace/folds.ts'
import { TextSource } from '../trace/long-text.tsx'
import { ProblemView } from '../trace/problem.tsx'
import { StepView } from '../trace/step-view.tsx'
import { type Draft, type Opinion, opine, sayFirstError, takeNote } from './draft.ts'

interface Item {
  at: number
  trace: Trace
  cuts: readonly Cut[]
  images: readonly (string | null)[]
}

interface Props {
  item: Item
  draft: Draft
  change: (draft: Draft) => void
  cursor: number
  setCursor: (step: number) => void
  /** What others said, where it may be seen. */
  said: readonly Given[]
}

export const OPINIONS: readonly { key: string; opinion: Opinion; name: string; sign: string }[] = [
  { key: 'g', opinion: 'correct', name: 'good', sign: '✓' },
  { key: 'u', opinion: 'neutral', name: 'neutral', sign: '–' },
  { key: 'b', opinion: 'incorrect', name: 'bad', sign: '✗' },
  { key: '?', opinion: 'unsure', name: 'unsure', sign: '?' },
]

/** The steps of a trace, each with what is said of it. */
export function LabelSteps({ item: { at, trace, cuts, images }, draft, change, cursor, setCursor, said }: Props) {
  const scroll = useRef<HTMLDivElement>(null)
  const folds = useMemo(() => new Map<string, number>(), [at])
  const source = useMemo(() => ({ at, cuts, raw: false }), [at, cuts])
  const virtual = useVirtual(scroll, {
    count: trace.steps.length + 1,
    estimate: () => 110,
    overscan: trace.steps.length <= 120 ? 120 : 5,
    itemKey: (i) => `${at} ${i}`,
  })
  useEffect(() => {
    virtual.scrollToIndex(cursor === 0 ? 0 : cursor + 1, { align: 'auto' })
  }, [cursor, at])
  const agents = useMemo(() => [...new Set(trace.steps.map((s) => s.agent ?? ''))], [trace])
  return (
    <TextSource.Provider value={source}>
      <Folds.Provider value={folds}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
        <section ref={scroll} class="steps" tabIndex={0} aria-label="Steps to label">
          <div class="items" style={{ height: `${virtual.getTotalSize()}px` }}>
            {virtual.getVirtualItems().map((virtualItem) => {
              const index = virtualItem.index - 1
              const step = trace.steps[index]
              return (
                <div
                  key={virtualItem.key}
                  ref={virtual.measureElement}
                  data-index={virtualItem.index}
                  class="item"
                  style={{ transform: `translateY(${virtualItem.start}px)` }}
                >
                  {step === undefined ? (
                    <ProblemView problem={trace.problem} images={images} />
                  ) : (
                    <div class={said.length > 0 ? 'to-label with-said' : 'to-label'}>
                      <StepView
                        index={index}
                        step={step}
                        findings={[]}
                        whole={[]}
                        problem={trace.problem}
                        risk={null}
                        wrong={draft.firstError === index}
                        current={cursor === index}
                        agent={agents.length > 1 ? agents.indexOf(step.agent ?? '') : -1}
                        onSelect={() => setCursor(index)}
                      />
                      <Choices
                        step={index}
                        opinion={draft.labels[index] ?? null}
                        choose={(opinion) => {
                          setCursor(index)
                          change(opine(draft, index, opinion))
                        }}
                        said={said}
                      />
                    </div>
                  )}
                </div>
              )
            })}
          </div>
        </section>
      </Folds.Provider>
    </TextSource.Provider>
  )
}

interface ChoicesProps {
  step: number
  opinion: Opinion | null
  choose: (opinion: Opinion) => void
  said: readonly Given[]
}

function Choices({ step, opinion, choose, said }: ChoicesProps) {
  return (
    <div class="choices">
      <div role="group" aria-label={`Step ${step + 1} is`}>
        {OPINIONS.map((o) => (
          <button
            key={o.opinion}
            type="button"
            class={o.opinion}
            aria-pressed={opinion === o.opinion}
            title={`${o.name} ( ${o.key} )`}
            tabIndex={-1}
            // The keys go on working after a click.
            onMouseDown={(e) => e.preventDefault()}
            onClick={() => choose(o.opinion)}
          >
            <span aria-hidden="true">{o.sign}</span>
            <span class="unseen">{o.name}</span>
          </button>
        ))}
      </div>
      {said.map((given) => {
        const label = given.labels[step] ?? null
        const found = OPINIONS.find((o) => o.opinion === label)
        return (
          <span key={given.person} class="said-by">
            <Plain text={given.person} /> {found === undefined ? '·' : `${found.sign} ${found.name}`}
            {given.firstError === step ? ' · first wrong' : ''}
          </span>
        )
      })}
    </div>
  )
}

/** The keys of labelling, the same wherever labels are given. A label moves on to the next step. */
export function useLabelKeys(
  { item, draft, change, cursor, setCursor }: Omit<Props, 'said'>,
  note: { current: HTMLTextAreaElement | null },
  more: readonly Binding[],
): void {
  const last = item.trace.steps.length - 1
  const move = (to: number): void => setCursor(Math.min(Math.max(to, 0), last))
  const advance = (to: Draft): void => {
    change(to)
    move(cursor + 1)
  }
  useKeys('Labelling', [
    ...OPINIONS.map(({ key, opinion, name }) => ({
      keys: [key],
      does: name,
      run: () => advance(opine(draft, cursor, opinion)),
    })),
    { keys: ['e'], does: 'first wrong step is here', run: () => change(sayFirstError(draft, cursor)) },
    { keys: ['c'], does: 'no step is wrong', run: () => change(sayFirstError(draft, -1)) },
    { keys: ['m'], does: 'write a note', run: () => note.current?.focus() },
    { keys: ['j', 'ArrowDown'], does: 'next step', run: () => move(cursor + 1) },
    { keys: ['k', 'ArrowUp'], does: 'previous step', run: () => move(cursor - 1) },
    ...more,
  ])
}

interface SummaryProps {
  draft: Draft
  change: (draft: Draft) => void
  note: { current: HTMLTextAreaElement | null }
}

/** What has been said so far, with the note. */
export function DraftSummary({ draft, change, note }: SummaryProps) {
  const labelled = draft.labels.filter((l) => l !== null).length
  const { firstError } = draft
  return (
    <section>
      <p role="status">
        {labelled} of {draft.labels.length} steps labelled ·{' '}
        {firstError === null
          ? 'first wrong step not said'
          : firstError < 0
            ? 'no step is wrong'
            : `first wrong step ${firstError + 1}`}
      </p>
      <label class="note">
        Note <kbd>m</kbd>
        <textarea
          ref={note}
          rows={3}
          maxLength={20_000}
          value={draft.note}
          onInput={(e) => change(takeNote(draft, e.currentTarget.value))}
        />
      </label>
    </section>
  )
}
