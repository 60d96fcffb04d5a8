/** Careful access to JSON of unknown shape: what is not of the wanted type is undefined. */

export type JsonObject = Record<string, unknown>

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** The list's objects; other elements are passed over. */
export function objects(value: unknown): JsonObject[] {
  return asList(value).flatMap((v): JsonObject[] => {
    const object = asObject(v)
    return object ? [object] : []
  })
}

/** A text that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A finite number; numbers written as text (64-bit integers of OTLP) count. */
export function asNumber(value: unknown): number | undefined {
  const written = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
  return typeof written === 'number' && Number.isFinite(written) ? written : undefined
}

/** The first of the named members that is neither absent nor null. */
export function pick(object: JsonObject | undefined, ...names: string[]): unknown {
  for (const name of names) {
    const value = object?.[name]
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

/** JSON inside a text becomes its value where that is an object or a list; all else stays as it is. */
export function unwrapJson(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*["[{]/.test(value)) return value
  try {
    const inner: unknown = JSON.parse(value)
    if (typeof inner === 'string') return unwrapJson(inner)
    return typeof inner === 'object' && inner !== null ? inner : value
  } catch {
    return value
  }
}

/** Members that are there; for objects with optional fields. */
export function present<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
