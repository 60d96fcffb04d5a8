/** What traces can be filtered and sorted by. Without imports: the viewer's page reads it too. */

export const TEXT_FIELDS = ['id', 'generator', 'dataset', 'task', 'question', 'problem'] as const
export const NUMBER_FIELDS = ['steps', 'outcome', 'firstError', 'gold', 'disagreement', 'maxRisk', 'doubt'] as const
export const FIELDS = [...TEXT_FIELDS, ...NUMBER_FIELDS, 'tags'] as const
export type NumberField = (typeof NUMBER_FIELDS)[number]
export type Field = (typeof FIELDS)[number]

/**
 * `eq`: one of the values; `ne`: none of them, true of what is not known; `lt` to `ge`: numbers, never true of what is
 * not known; `is`: `none` or `some`. For `tags`, `eq` = has one of them, `ne` = has none of them.
 */
export const OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'is'] as const
export type Operator = (typeof OPERATORS)[number]

export interface Condition {
  field: Field
  op: Operator
  values: string[]
}

export interface Sort {
  field: Field
  descending: boolean
}

export function isNumberField(field: string): field is NumberField {
  return (NUMBER_FIELDS as readonly string[]).includes(field)
}

export function isField(text: string | undefined): text is Field {
  return (FIELDS as readonly (string | undefined)[]).includes(text)
}

export function isOperator(text: string | undefined): text is Operator {
  return (OPERATORS as readonly (string | undefined)[]).includes(text)
}
