import type { SchemaElement } from 'hyparquet'

/** What all values of a column have in common; `null` stands for absent anywhere. */
type Shape =
  | { kind: 'text' | 'integer' | 'number' | 'boolean' }
  | { kind: 'list'; of: Shape }
  | { kind: 'struct'; fields: [string, Shape][] }

/** More fields than this are data and not a shape. */
const MOST_FIELDS = 64

/**
 * The shape of values that are nested alike, as training tools want them (a list of texts, a struct with the same
 * fields in each row); null where they are not, or where nothing is nested.
 */
export function nestedShape(values: readonly unknown[]): Shape | null {
  const shape = shapeOf(values)
  return shape?.kind === 'list' || shape?.kind === 'struct' ? shape : null
}

/** The shape of values that are all numbers, all texts or all booleans; null where they are not. */
export function flatShape(values: readonly unknown[]): Shape | null {
  const shape = shapeOf(values)
  return shape?.kind === 'list' || shape?.kind === 'struct' ? null : shape
}

function shapeOf(values: readonly unknown[]): Shape | null {
  const present = values.filter((v) => v !== null)
  const all = (test: (v: unknown) => boolean): boolean => present.every(test)
  // Nothing is known of what is never there; text holds whatever comes.
  if (present.length === 0 || all((v) => typeof v === 'string')) return { kind: 'text' }
  if (all((v) => typeof v === 'boolean')) return { kind: 'boolean' }
  if (all((v) => Number.isInteger(v) && Math.abs(v as number) < 2 ** 31)) return { kind: 'integer' }
  if (all((v) => typeof v === 'number')) return { kind: 'number' }
  if (all(Array.isArray)) {
    const of = shapeOf(present.flat())
    return of && { kind: 'list', of }
  }
  const structs = present.filter(isPlain)
  const names = Object.keys(structs[0] ?? {})
  if (structs.length < present.length || names.length === 0 || names.length > MOST_FIELDS) return null
  const fields: [string, Shape][] = []
  for (const name of names) {
    // A field that is missing in some rows would come back as one that is null.
    if (!structs.every((s) => Object.keys(s).length === names.length && s[name] !== undefined)) return null
    const of = shapeOf(structs.map((s) => s[name]))
    if (!of) return null
    fields.push([name, of])
  }
  return { kind: 'struct', fields }
}

/** Schema elements of a column, depth first, with the standard three levels for lists. */
export function schemaElements(name: string, shape: Shape): SchemaElement[] {
  const optional = 'OPTIONAL' as const
  if (shape.kind === 'list') {
    return [
      { name, repetition_type: optional, converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...schemaElements('element', shape.of),
    ]
  }
  if (shape.kind === 'struct') {
    return [
      { name, repetition_type: optional, num_children: shape.fields.length },
      ...shape.fields.flatMap(([field, of]) => schemaElements(field, of)),
    ]
  }
  if (shape.kind === 'text') return [{ name, repetition_type: optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }]
  const type = { integer: 'INT32', number: 'DOUBLE', boolean: 'BOOLEAN' } as const
  return [{ name, repetition_type: optional, type: type[shape.kind] }]
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The dtype of a column as dataset cards write it: `list of string`, `struct of role string, content string`. */
export function describeShape(values: readonly unknown[]): string {
  const say = (shape: Shape): string => {
    if (shape.kind === 'list') return `list of ${say(shape.of)}`
    if (shape.kind === 'struct')
      return `struct of ${shape.fields.map(([name, of]) => `${name}: ${say(of)}`).join(', ')}`
    return { text: 'string', integer: 'int32', number: 'float64', boolean: 'bool' }[shape.kind]
  }
  const shape = shapeOf(values.map((v) => v ?? null))
  return shape ? say(shape) : 'string (JSON)'
}
