import type { Random } from '../../core/seeds.ts'
import { random } from '../../core/seeds.ts'

/** Two answers and whether they say the same, known from how they were made. */
export interface Pair {
  a: string
  b: string
  truth: 'equal' | 'different'
  family: string
}

/** One maker: writes one content twice, or two contents that differ by construction. */
type Family = (r: Random, same: boolean) => [string, string]

/**
 * n pairs, half of them equal; pair i depends on seed and i alone.
 *
 * Nothing of the comparison is used: contents are integers, fractions and coefficient lists whose difference is plain,
 * and the two ways of writing come from templates that are identities (expansion by convolution, scaling by a factor,
 * reordering, another notation).
 */
export function generatePairs(seed: string, n: number): Pair[] {
  const names = Object.keys(FAMILIES)
  return Array.from({ length: n }, (_, i) => {
    const r = random(`${seed}/answers/pair/${i}`)
    const family = names[i % names.length] as string
    const same = Math.floor(i / names.length) % 2 === 0
    const [a, b] = (FAMILIES[family] as Family)(r, same)
    return { a, b, truth: same ? 'equal' : 'different', family }
  })
}

const between = (r: Random, lo: number, hi: number): number => lo + r.below(hi - lo + 1)
const nonzero = (r: Random, hi: number): number => (1 + r.below(hi)) * (r.below(2) === 0 ? 1 : -1)
/** Another integer near n. */
const other = (r: Random, n: number): number => n + nonzero(r, 3)

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b)
}

/** A fraction p/q, q > 1, in lowest terms. */
function fraction(r: Random): [number, number] {
  for (;;) {
    const p = nonzero(r, 60)
    const q = between(r, 2, 40)
    if (gcd(p, q) === 1) return [p, q]
  }
}

/** Ways to write p/q that all mean the same number. */
function writeFraction(r: Random, p: number, q: number): string {
  const k = between(r, 2, 9)
  const sign = p < 0 ? '-' : ''
  const n = Math.abs(p)
  const ways = [
    `${p}/${q}`,
    String.raw`${sign}\frac{${n}}{${q}}`,
    String.raw`\dfrac{${p}}{${q}}`,
    String.raw`$${sign}\frac{${n * k}}{${q * k}}$`,
    `${p * k}/${q * k}`,
    String.raw`\left(${p}\right)/${q}`,
  ]
  if (n > q)
    ways.push(String.raw`${sign}${Math.floor(n / q)}\frac{${n % q}}{${q}}`, `${sign}${Math.floor(n / q)} ${n % q}/${q}`)
  if (1000 % q === 0) ways.push(String(p / q), String.raw`${(100 * p) / q}\%`)
  return r.pick(ways)
}

const grouped = (n: number, comma: string): string => String(n).replace(/\B(?=(\d{3})+$)/g, comma)

/** Coefficients, lowest power first, of the product. */
function convolve(a: readonly number[], b: readonly number[]): number[] {
  const out = new Array<number>(a.length + b.length - 1).fill(0)
  for (const [i, x] of a.entries()) for (const [j, y] of b.entries()) out[i + j] = (out[i + j] ?? 0) + x * y
  return out
}

function writePolynomial(c: readonly number[], order: readonly number[], latex: boolean): string {
  let out = ''
  for (const k of order) {
    const v = c[k] ?? 0
    if (v === 0) continue
    const power = k === 0 ? '' : k === 1 ? 'x' : latex ? `x^{${k}}` : `x^${k}`
    const size = Math.abs(v) === 1 && k > 0 ? '' : String(Math.abs(v))
    out += `${v < 0 ? '-' : out === '' ? '' : '+'}${size}${size !== '' && power !== '' && !latex ? '*' : ''}${power}`
  }
  return out === '' ? '0' : out
}

const signed = (n: number): string => (n < 0 ? `-${-n}` : `+${n}`)

/** Distinct numbers. */
function members(r: Random, n: number): number[] {
  const out = new Set<number>()
  while (out.size < n) out.add(between(r, -40, 60))
  return [...out]
}

const FAMILIES: Readonly<Record<string, Family>> = {
  fraction(r, same) {
    const [p, q] = fraction(r)
    return [writeFraction(r, p, q), writeFraction(r, same ? p : other(r, p), q)]
  },
  'large integer'(r, same) {
    const n = between(r, 1_000_000, 900_000_000_000)
    const m = same ? n : n + r.pick([1, -1, 10, 1000])
    return [
      r.pick([String(n), grouped(n, ','), grouped(n, '{,}')]),
      r.pick([String(m), grouped(m, ','), grouped(m, String.raw`,\!`)]),
    ]
  },
  'twelve digits'(r, same) {
    const n = between(r, 100_000_000_000, 900_000_000_000)
    const m = same ? n : n + 1
    return [`0.${n}`, String.raw`\frac{${m}}{10^{12}}`]
  },
  scientific(r, same) {
    const n = between(r, 11, 99)
    const k = between(r, 3, 9)
    const m = same ? k : k + r.pick([1, -1])
    return [
      String.raw`${n / 10} \times 10^{${k}}`,
      r.pick([`${n / 10}e${m}`, grouped(Math.round((n * 10 ** m) / 10), ','), `${n}*10^${m - 1}`]),
    ]
  },
  surd(r, same) {
    const k = between(r, 2, 12)
    const m = r.pick([2, 3, 5, 6, 7, 10, 11])
    const radicand = k * k * m + (same ? 0 : nonzero(r, 3))
    return [
      String.raw`${k}\sqrt{${m}}`,
      r.pick([String.raw`\sqrt{${radicand}}`, `sqrt(${radicand})`, `${radicand}^{1/2}`]),
    ]
  },
  'rationalised surd'(r, same) {
    const p = between(r, 2, 30)
    const m = r.pick([2, 3, 5, 7, 11, 13])
    const c = same ? p : other(r, p)
    return [String.raw`\frac{${p}}{\sqrt{${m}}}`, String.raw`\frac{${c} \sqrt{${m}}}{${m}}`]
  },
  'nested surd'(r, same) {
    // (sqrt(a) + sqrt(b))^2 = a + b + 2 sqrt(ab)
    const [a, b] = [r.pick([2, 3, 5]), r.pick([7, 11, 13])]
    const inner = a + b + (same ? 0 : 1)
    return [String.raw`\sqrt{${inner}+2\sqrt{${a * b}}}`, String.raw`\sqrt{${a}}+\sqrt{${b}}`]
  },
  polynomial(r, same) {
    const roots = Array.from({ length: between(r, 2, 4) }, () => nonzero(r, 9))
    const lead = nonzero(r, 5)
    const c = roots.reduce<number[]>((p, z) => convolve(p, [-z, 1]), [lead])
    const factored = `${lead === 1 ? '' : lead === -1 ? '-' : lead}${roots.map((z) => `(x${signed(-z)})`).join('')}`
    const changed = r.below(c.length)
    const shown = same ? c : c.map((v, k) => (k === changed ? v + r.pick([1, -1]) : v))
    const order = r.shuffle(shown.map((_, k) => k))
    return [factored, writePolynomial(shown, order, r.below(2) === 0)]
  },
  'sum of quotients'(r, same) {
    const [a, c] = [nonzero(r, 9), nonzero(r, 9)]
    const [b, d] = [between(r, 1, 5), between(r, 6, 9)]
    const n0 = a * d + c * b + (same ? 0 : nonzero(r, 2))
    const top = writePolynomial([n0, a + c], [1, 0], true)
    return [String.raw`\frac{${a}}{x+${b}}+\frac{${c}}{x+${d}}`, String.raw`\frac{${top}}{(x+${b})(x+${d})}`]
  },
  trigonometry(r, same) {
    const a = between(r, 2, 9)
    const k = between(r, 1, 4)
    const b = same ? a : r.pick([a + 1, -a])
    const t = k === 1 ? 'x' : `${k}x`
    const rows: readonly [string, string][] = [
      [String.raw`${a}\sin(${2 * k}x)`, String.raw`${2 * b}\sin(${t})\cos(${t})`],
      [String.raw`${a}\cos(${2 * k}x)`, String.raw`${b}(1-2\sin^2(${t}))`],
      [String.raw`${a}\tan(${t})`, String.raw`\frac{${b}\sin(${t})}{\cos(${t})}`],
      [String.raw`${a}\sec^2(${t})`, String.raw`${b}+${b}\tan^2(${t})`],
    ]
    return r.pick(rows)
  },
  'trigonometry, twelfth digit'(r, same) {
    const k = between(r, 1, 5)
    return [String.raw`\sin(${k}x)+\cos(${k}x)`, String.raw`${same ? '' : '1.00000000001'}\cos(${k}x)+\sin(${k}x)`]
  },
  logarithm(r, same) {
    const [a, b] = [between(r, 2, 9), between(r, 2, 9)]
    const c = same ? a * b : a * b + 1
    return [String.raw`\ln ${a}+\ln ${b}`, String.raw`\ln(${c})`]
  },
  exponential(r, same) {
    const [a, b] = [between(r, 1, 5), between(r, 2, 5)]
    return [`e^{${b}x+${a}}`, `e^{${same ? a : a + 1}}(e^{x})^{${b}}`]
  },
  'with pi'(r, same) {
    const [p, q] = fraction(r)
    const c = same ? p : other(r, p)
    return [
      String.raw`\frac{${p}\pi}{${q}}`,
      r.pick([String.raw`\frac{${c}}{${q}}\pi`, `${c}*pi/${q}`, String.raw`${c}\pi/${q}`]),
    ]
  },
  complex(r, same) {
    const [a, b, c, d] = [nonzero(r, 9), nonzero(r, 9), nonzero(r, 9), nonzero(r, 9)]
    const re = a * c - b * d
    const im = a * d + b * c + (same ? 0 : nonzero(r, 2))
    return [`(${a}${signed(b)}i)(${c}${signed(d)}i)`, `${re}${signed(im)}i`]
  },
  factorial(r, same) {
    const n = between(r, 20, 900)
    return [String.raw`\frac{1}{${n}!}`, String.raw`\frac{1}{${same ? n : n + between(r, 1, 3)} \cdot ${n - 1}!}`]
  },
  'large power'(r, same) {
    const k = between(r, 60, 900)
    return [`2^{${k}}-1`, same ? String.raw`2 \cdot 2^{${k - 1}}-1` : `2^{${k}}+1`]
  },
  set(r, same) {
    const items = members(r, between(r, 2, 6))
    const shown = same ? items : items.map((z, i) => (i === 0 ? 99 : z))
    const text = r.shuffle(shown).map((z) => (r.below(3) === 0 ? `${2 * z}/2` : String(z)))
    return [String.raw`\{${items.join(', ')}\}`, r.pick([String.raw`\{${text.join(',')}\}`, `{${text.join(', ')}}`])]
  },
  'bare list'(r, same) {
    const items = members(r, between(r, 2, 4))
    const shown = same ? items : [...items.slice(1), 77]
    return [items.join(', '), r.shuffle(shown).join(r.pick([', ', ' and ', String.raw` \text{ or } `]))]
  },
  tuple(r, same) {
    const items = members(r, between(r, 2, 5))
    const shown = same ? items : [items[1], items[0], ...items.slice(2)]
    return [`(${items.join(', ')})`, String.raw`\left(${shown.map((z) => `${z}.0`).join(', ')}\right)`]
  },
  interval(r, same) {
    const lo = between(r, -20, 10)
    const hi = lo + between(r, 1, 20)
    const [open, close] = [r.pick(['(', '[']), r.pick([')', ']'])]
    const written = `${open}${lo}, ${hi}${close}`
    const flip = !same && r.below(2) === 0
    const end = !same && !flip ? hi + 1 : hi
    const left = (open === '[') !== flip ? String.raw`\le` : '<'
    return [written, `${lo} ${left} x ${close === ']' ? String.raw`\leq` : '<'} ${end}`]
  },
  'half line'(r, same) {
    const c = between(r, -20, 20)
    const k = between(r, 2, 6)
    return [`${k}x > ${k * c}`, String.raw`(${same ? c : other(r, c)}, \infty)`]
  },
  union(r, same) {
    const a = between(r, -9, 0)
    const [b, c] = [a + between(r, 1, 5), a + between(r, 6, 9)]
    const d = c + between(r, 1, 5)
    return [String.raw`(${a}, ${b}) \cup (${c}, ${d}]`, String.raw`(${c},${d}${same ? ']' : ')'}\cup(${a},${b})`]
  },
  matrix(r, same) {
    const cells = Array.from({ length: 4 }, () => between(r, -20, 20))
    const shown = [...cells]
    if (!same) shown[r.below(4)] = 55
    const [a, b, c, d] = cells
    const [e, f, g, h] = shown.map((z) => (r.below(2) === 0 ? String(z) : String.raw`\frac{${3 * z}}{3}`))
    return [
      String.raw`\begin{pmatrix} ${a} & ${b} \\ ${c} & ${d} \end{pmatrix}`,
      String.raw`\begin{bmatrix}${e}&${f}\\${g}&${h}\end{bmatrix}`,
    ]
  },
  'linear equation'(r, same) {
    const [a, b] = [nonzero(r, 9), nonzero(r, 9)]
    const c = nonzero(r, 20)
    const k = nonzero(r, 4)
    const shown = same ? c : other(r, c)
    return [`${a}x${signed(b)}y${signed(c)}=0`, `${k * b}y = ${-k * shown}${signed(-k * a)}x`]
  },
  assignment(r, same) {
    const [p, q] = fraction(r)
    const name = r.pick(['x', 'n', 'f(x)', 'a_1'])
    return [`${name} = ${writeFraction(r, p, q)}`, writeFraction(r, same ? p : other(r, p), q)]
  },
  'plus-minus'(r, same) {
    const [a, m] = [between(r, 1, 20), r.pick([2, 3, 5, 7, 19])]
    return [
      String.raw`${a} \pm \sqrt{${m}}`,
      same
        ? String.raw`${a}-\sqrt{${m}}, ${a}+\sqrt{${m}}`
        : r.pick([String.raw`${a}+\sqrt{${m}}`, String.raw`${a} \pm \sqrt{${m + 1}}`]),
    ]
  },
  money(r, same) {
    const cents = between(r, 1_000_00, 99_999_99)
    const shown = same ? cents : cents + r.pick([1, -1, 10_00])
    const whole = grouped(Math.floor(cents / 100), ',')
    const tail = String(cents % 100).padStart(2, '0')
    return [
      String.raw`\$${whole}.${tail}`,
      r.pick([`${(shown / 100).toFixed(2)} dollars`, `${shown} cents`, `$${(shown / 100).toFixed(2)}`]),
    ]
  },
  measure(r, same) {
    const n = between(r, 2, 90)
    const rows: readonly [string, string, number][] = [
      ['hours', 'minutes', 60],
      ['km', 'm', 1000],
      ['feet', 'inches', 12],
      ['kg', 'grams', 1000],
      [String.raw`\text{ m}^2`, String.raw`\text{ cm}^2`, 10_000],
    ]
    const [u, v, factor] = r.pick(rows)
    return [`${n} ${u}`, `${n * factor + (same ? 0 : 1)} ${v}`]
  },
  percent(r, same) {
    const n = between(r, 1, 99)
    return [
      String.raw`${n}\%`,
      r.pick([`${n + (same ? 0 : 1)}/100`, `0.${String(n + (same ? 0 : 1)).padStart(2, '0')}`]).replace('0.100', '1'),
    ]
  },
  choice(r, same) {
    const letter = r.pick(['A', 'B', 'C', 'D'])
    const shown = same ? letter : 'E'
    return [
      r.pick([`(${letter})`, String.raw`\text{(${letter})}`]),
      r.pick([shown, `${shown}.`, `(${shown}) because it fits`]),
    ]
  },
  sentence(r, same) {
    const [p, q] = fraction(r)
    const value = writeFraction(r, p, q)
    const frames = [
      `So the answer is ${value}.`,
      String.raw`We get $x = 12$, hence \boxed{${value}} is what was asked.`,
      `Adding 3 and 4 gives 7.\n#### ${value}`,
      `**Final answer:** ${value}`,
    ]
    return [r.pick(frames), writeFraction(r, same ? p : other(r, p), q)]
  },
  'number in a base'(r, same) {
    const base = between(r, 2, 9)
    const n = between(r, 20, 999)
    return [
      `${n.toString(base)}_${base}`,
      same ? `${n.toString(base)}_{${base}}` : `${(n + 1).toString(base)}_{${base}}`,
    ]
  },
  ratio(r, same) {
    const [p, q] = fraction(r)
    const k = between(r, 2, 6)
    return [`${Math.abs(p)}:${q}`, `${Math.abs(p) * k}:${q * k + (same ? 0 : 1)}`]
  },
  'repeating decimal'(r, same) {
    const d = between(r, 1, 98)
    const period = String(d).padStart(2, '0')
    return [String.raw`0.\overline{${period}}`, same ? `${d}/99` : r.pick([`0.${period.repeat(6)}`, `${d + 1}/99`])]
  },
  words(r, same) {
    const [a, b] = r.pick([
      ['yes', 'no'],
      ['True', 'False'],
      ['even', 'odd'],
      ['Evelyn', 'Maria'],
      ['ellipse', 'parabola'],
    ] as const)
    const shown = same ? a : b
    return [String.raw`\text{${a}}`, r.pick([`${shown}.`, shown.toUpperCase(), shown])]
  },
}
