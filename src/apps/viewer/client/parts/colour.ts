import { isDark } from '../theme.ts'

/** Red, green, blue in 0..255. */
type Rgb = readonly [number, number, number]

/** Okabe and Ito's vermillion and blue: told apart with every common colour blindness, and by lightness in grey. */
const BAD: Rgb = [213, 94, 0]
const GOOD: Rgb = [0, 114, 178]
const MIDDLE: Record<'light' | 'dark', Rgb> = { light: [236, 233, 226], dark: [72, 76, 84] }
const NONE: Record<'light' | 'dark', Rgb> = { light: [214, 218, 224], dark: [48, 53, 61] }

/** Steps of the scale; what is drawn ten thousand times is looked up, not computed. */
const LEVELS = 32
const tables = new Map<boolean, readonly string[]>()

/** Colour of a value in [0, 1], 0 = bad; NaN = nothing known. */
export function valueColour(value: number): string {
  const dark = isDark()
  let table = tables.get(dark)
  if (table === undefined) {
    table = Array.from({ length: LEVELS + 2 }, (_, i) => css(i > LEVELS ? NONE[mode(dark)] : mix(i / LEVELS, dark)))
    tables.set(dark, table)
  }
  return table[Number.isNaN(value) ? LEVELS + 1 : Math.round(Math.min(1, Math.max(0, value)) * LEVELS)]!
}

/** Black or white, whichever stands out more from the colour of a value (WCAG's contrast). */
export function inkOn(value: number): string {
  const dark = isDark()
  const light = luminance(Number.isNaN(value) ? NONE[mode(dark)] : mix(value, dark))
  return (light + 0.05) ** 2 > 1.05 * 0.05 ? '#000000' : '#ffffff'
}

/** Relative luminance of sRGB, in [0, 1]. */
function luminance(colour: Rgb): number {
  const [r = 0, g = 0, b = 0] = colour.map((c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function mode(dark: boolean): 'light' | 'dark' {
  return dark ? 'dark' : 'light'
}

function mix(value: number, dark: boolean): Rgb {
  const middle = MIDDLE[mode(dark)]
  const [from, to, share] = value < 0.5 ? [BAD, middle, value * 2] : [middle, GOOD, value * 2 - 1]
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * share)) as unknown as Rgb
}

function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`
}
