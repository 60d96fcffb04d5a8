import {
  type Condition,
  type Field,
  isField,
  isNumberField,
  isOperator,
  type Operator,
} from '../../io/trace-index/conditions.ts'

export {
  type Condition,
  FIELDS,
  type Field,
  NUMBER_FIELDS,
  type NumberField,
  TEXT_FIELDS,
} from '../../io/trace-index/conditions.ts'

/**
 * Filters as text, for requests and for addresses that people share: `generator:eq:gpt-4;steps:ge:10;gold:is:some`.
 * Conditions are joined by `;` and all must hold; `%`, `;` and `|` inside a value are percent-encoded. Pure: the
 * browser reads and writes filters with it too.
 */

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

function fits(field: Field, op: Operator, values: readonly string[]): boolean {
  if (op === 'is') return values.length === 1 && (values[0] === 'none' || values[0] === 'some')
  if (op === 'eq' || op === 'ne') return !isNumberField(field) || values.every(isNumber)
  return isNumberField(field) && values.length === 1 && values.every(isNumber)
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
