import { useState } from 'preact/hooks'
import { FIELDS, type Field, type NumberField } from '../../filters.ts'
import type { Facet } from '../api.generated.ts'
import { count } from '../parts/words.ts'
import { Plain } from '../text/rich.tsx'
import { fieldName, type ListQuery, setCondition, toggleValue } from './list-query.ts'

interface Props {
  facets: readonly Facet[]
  query: ListQuery
  update: (to: Partial<ListQuery>) => void
}

/** Fields that have one value a trace say nothing as a filter. */
const NOT_AS_FILTER: readonly string[] = ['id', 'problem', 'question']
const SHOWN = 8

export function FacetPanel({ facets, query, update }: Props) {
  const useful = facets.filter((f) => !NOT_AS_FILTER.includes(f.field) && varies(f))
  return (
    <aside class="facets" aria-label="Filters">
      <header>
        <h2>Filters</h2>
        {query.conditions.length > 0 && (
          <button type="button" class="quiet" onClick={() => update({ conditions: [] })}>
            Clear
          </button>
        )}
      </header>
      {useful.map((f) => {
        const field = FIELDS.find((name) => name === f.field)
        if (field === undefined) return null
        return (
          <fieldset key={field}>
            <legend>{fieldName(field)}</legend>
            {f.kind === 'number' ? (
              <NumberFilter facet={f} field={field as NumberField} query={query} update={update} />
            ) : (
              <ValueFilter facet={f} field={field} query={query} update={update} />
            )}
          </fieldset>
        )
      })}
    </aside>
  )
}

function varies(facet: Facet): boolean {
  const unknown = facet.values.some((v) => v.value === null)
  return facet.kind === 'number' ? facet.min !== null && (facet.min !== facet.max || unknown) : facet.values.length > 1
}

interface FilterProps extends Props {
  facet: Facet
}

function ValueFilter({ facet, field, query, update }: Omit<FilterProps, 'facets'> & { field: Field }) {
  const [all, setAll] = useState(false)
  const chosen = query.conditions.find((c) => c.field === field && c.op === 'eq')?.values ?? []
  const values = facet.values.filter((v) => v.value !== null && v.value !== '')
  const shown = all ? values : values.slice(0, SHOWN)
  return (
    <>
      {shown.map(({ value, count: n }) => (
        <label key={value} class="choice">
          <input
            type="checkbox"
            checked={chosen.includes(String(value))}
            onChange={() => update({ conditions: toggleValue(query.conditions, field, String(value)) })}
          />
          <span class="name" title={String(value)}>
            <Plain text={String(value)} />
          </span>
          <span class="soft">{count(n)}</span>
        </label>
      ))}
      {values.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => setAll(!all)}>
          {all ? 'fewer' : `${values.length - SHOWN} more`}
        </button>
      )}
    </>
  )
}

/** Questions that people ask of a field, before they ask for figures. */
const QUESTIONS: Partial<
  Record<NumberField, readonly { name: string; op: 'ge' | 'lt' | 'eq' | 'is'; value: string }[]>
> = {
  outcome: [
    { name: 'succeeded', op: 'ge', value: '0.5' },
    { name: 'failed', op: 'lt', value: '0.5' },
    { name: 'not known', op: 'is', value: 'none' },
  ],
  firstError: [
    { name: 'has one', op: 'ge', value: '0' },
    { name: 'none', op: 'eq', value: '-1' },
    { name: 'cannot say', op: 'is', value: 'none' },
  ],
  gold: [
    { name: 'has one', op: 'ge', value: '0' },
    { name: 'none', op: 'eq', value: '-1' },
    { name: 'not known', op: 'is', value: 'none' },
  ],
}

function NumberFilter({ facet, field, query, update }: Omit<FilterProps, 'facets'> & { field: NumberField }) {
  const others = query.conditions.filter((c) => c.field !== field)
  const questions = QUESTIONS[field]
  if (questions !== undefined) {
    return (
      <>
        {questions.map((q) => {
          const on = query.conditions.some((c) => c.field === field && c.op === q.op && c.values[0] === q.value)
          return (
            <label key={q.name} class="choice">
              <input
                type="checkbox"
                checked={on}
                onChange={() =>
                  update({ conditions: on ? others : [...others, { field, op: q.op, values: [q.value] }] })
                }
              />
              <span class="name">{q.name}</span>
            </label>
          )
        })}
      </>
    )
  }
  return (
    <div class="range">
      <Bound facet={facet} field={field} op="ge" query={query} update={update} />
      <span aria-hidden="true">–</span>
      <Bound facet={facet} field={field} op="le" query={query} update={update} />
    </div>
  )
}

function Bound(props: Omit<FilterProps, 'facets'> & { field: NumberField; op: 'ge' | 'le' }) {
  const { facet, field, op, query, update } = props
  const set = query.conditions.find((c) => c.field === field && c.op === op)?.values[0] ?? ''
  const bound = op === 'ge' ? facet.min : facet.max
  return (
    <input
      type="number"
      step="any"
      value={set}
      placeholder={bound === null ? '' : String(Number(bound.toFixed(2)))}
      aria-label={`${fieldName(field)} ${op === 'ge' ? 'at least' : 'at most'}`}
      onChange={(e) => {
        const value = e.currentTarget.value
        const values = value === '' || !Number.isFinite(Number(value)) ? null : [value]
        update({ conditions: setCondition(query.conditions, field, op, values) })
      }}
    />
  )
}
