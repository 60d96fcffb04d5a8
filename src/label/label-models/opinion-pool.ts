/** Smallest power tried; a posterior to this power is as good as uniform. */
const LEAST_POWER = 1e-3

/**
 * Brings a posterior that counts every source as independent down to an honest confidence, without gold labels.
 *
 * Two hypotheses are mixed: the sources are independent (the posterior), or they repeat each other, so that what any
 * one of them says is all there is (the pool: mean posterior of the single sources). Each domain's posterior is raised
 * to the power at which its mean top probability is that of the mixture; the most probable class of an item stays.
 * The truth cannot tell shared errors from shared insight without gold labels, so the weight is an assumption.
 *
 * @param posterior items x classes
 * @param pool items x classes
 * @param weight of the pool, in [0, 1]
 * @param domain one an item
 * @param gold known items are left as they are
 * @see Genest and Zidek, Combining probability distributions, 1986, for linear and logarithmic pools
 */
export function matchConfidence(
  posterior: Float64Array,
  pool: Float64Array,
  weight: number,
  domain: Int32Array,
  classes: number,
  gold?: Int8Array,
): { posterior: Float64Array; powers: number[] } {
  const out = posterior.slice()
  const domains = domain.reduce((max, d) => Math.max(max, d + 1), 0)
  const powers: number[] = []
  for (let d = 0; d < domains; d++) {
    const items: number[] = []
    domain.forEach((own, i) => {
      if (own === d && !(gold && gold[i]! >= 0)) items.push(i)
    })
    if (items.length === 0) {
      powers.push(1)
      continue
    }
    let target = 0
    for (const i of items) {
      let top = 0
      for (let k = 0; k < classes; k++) {
        const p = weight * pool[i * classes + k]! + (1 - weight) * posterior[i * classes + k]!
        if (p > top) top = p
      }
      target += top / items.length
    }
    const power = powerFor(posterior, items, classes, target)
    powers.push(power)
    for (const i of items) raise(posterior, i, classes, power, out)
  }
  return { posterior: out, powers }
}

/** Bisection: mean top probability grows with the power. Never above 1, which would add confidence. */
function powerFor(posterior: Float64Array, items: readonly number[], classes: number, target: number): number {
  const row = new Float64Array(posterior.length)
  const meanTop = (power: number): number => {
    let sum = 0
    for (const i of items) sum += raise(posterior, i, classes, power, row)
    return sum / items.length
  }
  if (meanTop(1) <= target) return 1
  let low = LEAST_POWER
  let high = 1
  for (let round = 0; round < 40; round++) {
    const middle = Math.sqrt(low * high)
    if (meanTop(middle) < target) low = middle
    else high = middle
  }
  return low
}

/** Row `i` of `out` = the row to the power, normalised; returns its largest entry. */
function raise(posterior: Float64Array, i: number, classes: number, power: number, out: Float64Array): number {
  let sum = 0
  let top = 0
  for (let k = 0; k < classes; k++) {
    // Below: what underflowed to 0 stays improbable at small powers instead of impossible.
    const p = Math.max(posterior[i * classes + k]!, 1e-30) ** power
    out[i * classes + k] = p
    sum += p
    if (p > top) top = p
  }
  for (let k = 0; k < classes; k++) out[i * classes + k] = out[i * classes + k]! / sum
  return top / sum
}
