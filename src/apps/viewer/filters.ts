/**
 * Filters as text, for requests and for addresses that people share: `generator:eq:gpt-4;steps:ge:10;gold:is:some`.
 * Conditions are joined by `;` and all must hold; `%`, `;` and `|` inside a value are percent-encoded. Pure, without
 * imports: the browser reads and writes filters with it too.
 */

export const TEXT_FIELDS = ['id', 'generator', 'dataset', 'task', 'question', 'problem'] as const
export const NUMBER_FIELDS = ['steps', 'outcome', 'firstError', 'gold', 'disagreement', 'maxRisk'] as const
export const FIELDS = [...TEXT_FIELDS, ...NUMBER_FIELDS, 'tags'] as const
export type TextField = (typeof TEXT_FIELDS)[number]
export type NumberField = (typeof NUMBER_FIELDS)[number]
export type Field = (typeof FIELDS)[number]

/**
 * `eq`: one of the values (`a|b`); `ne`: none of them; `lt` to `ge`: numbers, never true of what is not known; `is`:
 * `none` or `some`. For `tags`, `eq` = has one of them, `ne` = has none of them.
 */
export const OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'is'] as const
export type Operator = (typeof OPERATORS)[number]

export interface Condition {
  field: Field
  op: Operator
  values: string[]
}

/** The conditions of a text; null where it is none. */
export function parseFilter(text: string): Condition[] | null {
  const conditions: Condition[] = []
  for (const part of text.split(';')) {
    if (part === '') continue
    const [, field, op, rest] = /^(\w+):(\w+):(.*)$/s.exec(part) ?? []
    if (!isField(field) || !isOperator(op) || rest === undefined) return null
    const values = rest.split('|').map(decode)
    if (!fits(field, op, values)) return null
    conditions.push({ field, op, values })
  }
  return conditions
}

export function formatFilter(conditions: readonly Condition[]): string {
  return conditions.map((c) => `${c.field}:${c.op}:${c.values.map(encode).join('|')}`).join(';')
}

export function isNumberField(field: string): field is NumberField {
  return (NUMBER_FIELDS as readonly string[]).includes(field)
}

function fits(field: Field, op: Operator, values: readonly string[]): boolean {
  if (op === 'is') return values.length === 1 && (values[0] === 'none' || values[0] === 'some')
  if (op === 'eq' || op === 'ne') return !isNumberField(field) || values.every(isNumber)
  return isNumberField(field) && values.length === 1 && values.every(isNumber)
}

function isField(text: string | undefined): text is Field {
  return (FIELDS as readonly (string | undefined)[]).includes(text)
}

function isOperator(text: string | undefined): text is Operator {
  return (OPERATORS as readonly (string | undefined)[]).includes(text)
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text))
}

function encode(text: string): string {
  return text.replace(/[%;|]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function decode(text: string): string {
  return text.replace(/%(25|3B|7C)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
