import { type Condition, type Field, formatFilter, parseFilter } from '../../filters.ts'

/** Which traces a list shows and in which order; all of it stands in the address. */
export interface ListQuery {
  q: string
  conditions: readonly Condition[]
  /** A field, `-` before it for descending; empty = order of the file. */
  sort: string
}

/** A filter that cannot be read shows everything rather than nothing. */
export function readQuery(query: Readonly<Record<string, string>>): ListQuery {
  return { q: query['q'] ?? '', conditions: parseFilter(query['filter'] ?? '') ?? [], sort: query['sort'] ?? '' }
}

/** As parameters of the address and of `/api/traces`; what is empty is left out. */
export function writeQuery({ q, conditions, sort }: ListQuery): Record<string, string> {
  const filter = formatFilter(conditions)
  return { ...(q === '' ? {} : { q }), ...(filter === '' ? {} : { filter }), ...(sort === '' ? {} : { sort }) }
}

/** Ascending, descending, order of the file, in turn; where the worst is wanted first, descending comes first. */
export function nextSort(sort: string, field: Field): string {
  const down = field === 'maxRisk' || field === 'disagreement' || field === 'doubt' || field === 'steps'
  const [first, second] = down ? [`-${field}`, field] : [field, `-${field}`]
  return sort === first ? second : sort === second ? '' : first
}

/** Adds a value to those that a field may have, or takes it away again. */
export function toggleValue(conditions: readonly Condition[], field: Field, value: string): Condition[] {
  const present = conditions.find((c) => c.field === field && c.op === 'eq')
  const values = present?.values ?? []
  const next = values.includes(value) ? values.filter((v) => v !== value) : [...values, value]
  return setCondition(conditions, field, 'eq', next.length === 0 ? null : next)
}

/** One condition a field and operator; null takes it away. */
export function setCondition(
  conditions: readonly Condition[],
  field: Field,
  op: Condition['op'],
  values: string[] | null,
): Condition[] {
  const others = conditions.filter((c) => c.field !== field || c.op !== op)
  return values === null ? others : [...others, { field, op, values }]
}

const NAMES: Record<Field, string> = {
  id: 'Id',
  generator: 'Generator',
  dataset: 'Data set',
  task: 'Task',
  question: 'Question',
  problem: 'Problem',
  steps: 'Steps',
  outcome: 'Outcome',
  firstError: 'First wrong step',
  gold: 'Gold first wrong step',
  disagreement: 'Disagreement',
  maxRisk: 'Highest risk',
  doubt: 'Doubt',
  tags: 'Tags',
}

export function fieldName(field: Field): string {
  return NAMES[field]
}

/** A condition in words. Steps are counted from one for people. */
export function conditionText({ field, op, values }: Condition): string {
  const name = NAMES[field]
  const shown = values.map((v) => (field === 'firstError' || field === 'gold' ? stepValue(v) : v)).join(' or ')
  if (op === 'is') return values[0] === 'none' ? `${name} not known` : `${name} known`
  const word = { eq: 'is', ne: 'is not', lt: '<', le: '≤', gt: '>', ge: '≥' }[op]
  return `${name} ${word} ${shown}`
}

function stepValue(value: string): string {
  return value === '-1' ? 'none' : String(Number(value) + 1)
}
