/**
 * Indexes by value, lowest first; equal values keep their order.
 * @throws RangeError for NaN, which has no place in an order
 */
export function ascending(values: ArrayLike<number>): number[] {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) throw new RangeError(`value ${i} is not a number`)
  }
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!)
}
