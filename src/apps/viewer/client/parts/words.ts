const WHOLE = new Intl.NumberFormat('en')

/** With thousands separators. */
export function count(n: number): string {
  return WHOLE.format(n)
}

/** `3 steps`, `1 step`. */
export function counted(n: number, one: string): string {
  return `${count(n)} ${n === 1 ? one : `${one}s`}`
}

/** Two digits without the zero before the point, as in the tables of the reports. */
export function share(value: number): string {
  if (value === 0 || value === 1) return String(value)
  return value.toFixed(2).replace(/^(-?)0\./, '$1.')
}

/** People count steps from one; the data does from zero. */
export function stepName(index: number | null): string {
  if (index === null) return 'cannot say'
  return index < 0 ? 'none' : `step ${index + 1}`
}
