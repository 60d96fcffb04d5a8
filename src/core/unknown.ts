/** Values of unknown shape: JSON may hold members that shadow what every object has (`{"toString": ""}`). */

/** A text for any value: a text as it is, objects and lists as JSON; never calls a member of the value. */
export function anyText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** The table's own entry for the value's text; `constructor` and the like, which every object inherits, have none. */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: unknown): T | undefined {
  const name = anyText(key)
  return Object.hasOwn(table, name) ? table[name] : undefined
}
