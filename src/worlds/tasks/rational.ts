/** An exact fraction in lowest terms, denominator positive. */
export interface Rational {
  readonly n: number
  readonly d: number
}

export type Operator = '+' | '-' | '*' | '/'

const gcd = (a: number, b: number): number => {
  let [x, y] = [Math.abs(a), Math.abs(b)]
  while (y !== 0) [x, y] = [y, x % y]
  return x
}

/** null where the denominator is 0 or the fraction is beyond exact arithmetic. */
export function rational(n: number, d = 1): Rational | null {
  if (d === 0 || !Number.isSafeInteger(n) || !Number.isSafeInteger(d)) return null
  const g = gcd(n, d) * Math.sign(d)
  return { n: n / g + 0, d: d / g }
}

/** null for a division by 0 or a result beyond exact arithmetic. */
export function calculate(a: Rational, operator: Operator, b: Rational): Rational | null {
  switch (operator) {
    case '+':
      return rational(a.n * b.d + b.n * a.d, a.d * b.d)
    case '-':
      return rational(a.n * b.d - b.n * a.d, a.d * b.d)
    case '*':
      return rational(a.n * b.n, a.d * b.d)
    case '/':
      return rational(a.n * b.d, a.d * b.n)
  }
}

export const equal = (a: Rational, b: Rational): boolean => a.n === b.n && a.d === b.d

/** `-3`, `8/3`. */
export const rationalText = (a: Rational): string => (a.d === 1 ? String(a.n) : `${a.n}/${a.d}`)

/** Reads `-3` and `8/3`, in lowest terms or not; null for anything else. */
export function readRational(text: string): Rational | null {
  const m = /^(-?\d{1,9})(?:\/(\d{1,9}))?$/.exec(text)
  return m ? rational(Number(m[1]), Number(m[2] ?? 1)) : null
}
