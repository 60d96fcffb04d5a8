import type { z } from 'zod'
import { cohenKappa, krippendorffAlpha } from '../../core/stats/index.ts'
import type { ViewedData } from './data.ts'
import type { Given, GivenTo, LabelStore } from './labels.ts'
import type { QueueAgreement } from './schemas.ts'

type Answer = z.output<typeof QueueAgreement>

const CLASSES = ['incorrect', 'neutral', 'correct'] as const
/** Traces that are listed; agreement is taken over all. */
const LISTED = 500

/**
 * How far people agree: on the classes of steps that they looked at, and on first errors, where exactly the same step
 * must be named.
 */
export function agreementOf(data: ViewedData, store: LabelStore): Answer {
  const all = store.all()
  const done = all.filter(({ given }) => given.state === 'done')
  const items = [...Map.groupBy(done, ({ source, id }) => `${source}\n${id}`).values()]
  const people = [...new Set(all.filter((g) => g.given.state !== 'adjudicated').map((g) => g.given.person))].sort()
  const saidBy = (item: readonly GivenTo[], person: string): Given | undefined =>
    item.find(({ given }) => given.person === person)?.given
  const onTraces = people.map((person) => items.map((item) => (saidBy(item, person)?.firstError ?? -2) + 1))
  const onSteps = people.map((person) =>
    items.flatMap((item) => {
      const steps = Math.max(...item.map(({ given }) => given.labels.length))
      const labels = saidBy(item, person)?.labels ?? []
      return Array.from({ length: steps }, (_, step) => classOf(labels[step]))
    }),
  )
  return {
    people: people.map((person) => ({
      person,
      done: done.filter(({ given }) => given.person === person).length,
      skipped: all.filter(({ given }) => given.person === person && given.state === 'skipped').length,
      gold: goldOf(
        data,
        done.filter(({ given }) => given.person === person),
      ),
    })),
    steps: among(people, onSteps),
    traces: among(people, onTraces),
    items: listed(data, items, all),
  }
}

/** -1 = said nothing, or cannot say. */
function classOf(label: Given['labels'][number] | undefined): number {
  return label === undefined || label === null || label === 'unsure' ? -1 : CLASSES.indexOf(label)
}

function goldOf(data: ViewedData, given: readonly GivenTo[]): { n: number; right: number } {
  let n = 0
  let right = 0
  for (const { id, source, given: said } of given) {
    const at = data.numberOf(id, source)
    const gold = at === null ? null : data.row(at).gold
    if (gold === null || said.firstError === null) continue
    n++
    if (said.firstError === gold) right++
  }
  return { n, right }
}

/** Agreement of every pair and of all; class -1 = missing. */
function among(people: readonly string[], ratings: readonly (readonly number[])[]): Answer['steps'] {
  const pairs = people.flatMap((a, i) =>
    people.slice(i + 1).map((b, j) => {
      const [left, right] = [ratings[i]!, ratings[i + 1 + j]!]
      const both = left.flatMap((x, k) => (x >= 0 && right[k]! >= 0 ? [k] : []))
      const same = both.filter((k) => left[k] === right[k]).length
      const n = both.length
      return { a, b, n, same: n === 0 ? null : same / n, kappa: orNull(cohenKappa(left, right)) }
    }),
  )
  return { pairs, alpha: orNull(krippendorffAlpha(ratings)) }
}

function listed(data: ViewedData, items: readonly GivenTo[][], all: readonly GivenTo[]): Answer['items'] {
  return items
    .filter((item) => item.length > 1)
    .flatMap((item) => {
      const { id, source } = item[0]!
      const at = data.numberOf(id, source)
      if (at === null) return []
      const decided = all.findLast((g) => g.id === id && g.source === source && g.given.state === 'adjudicated')
      const said = item.map(({ given }) => given)
      return [
        { at, id, problem: data.row(at).problem, differs: differs(said), said, adjudicated: decided?.given ?? null },
      ]
    })
    .sort((a, b) => Number(b.differs) - Number(a.differs) || a.at - b.at)
    .slice(0, LISTED)
}

function differs(said: readonly Given[]): boolean {
  const firstErrors = new Set(said.flatMap(({ firstError }) => (firstError === null ? [] : [firstError])))
  const steps = Math.max(...said.map(({ labels }) => labels.length))
  const onStep = (step: number): boolean =>
    new Set(said.map(({ labels }) => classOf(labels[step])).filter((c) => c >= 0)).size > 1
  return firstErrors.size > 1 || Array.from({ length: steps }, (_, step) => onStep(step)).includes(true)
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
