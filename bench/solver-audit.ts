/**
 * The solver audit's bar: injected errors caught and equivalent rewrites flagged, with a reference and 5 data variants,
 * 95 % intervals bootstrapped by model; the truth by enumeration.
 *
 *   GRADUS_DATA=... node bench/solver-audit.ts [--quick]
 */
import { steporlm } from '../replications/steporlm.ts'

const started = performance.now()
const { settings, notes } = await steporlm.run({
  quick: process.argv.includes('--quick'),
  seed: 'bench/solver-audit',
  progress: (line) => console.error(line),
})
console.log(JSON.stringify({ settings, notes, seconds: Math.round((performance.now() - started) / 1000) }, null, 1))
console.log('| set | check | flawed models caught | rewrites flagged |\n|---|---|---|---|')
for (const { name, arms } of settings) {
  for (const arm of arms) {
    const cells = ['flawed models caught', 'rewrites flagged'].map((wanted) => {
      const figure = arm.figures.find((f) => f.name === wanted)
      if (!figure) return 'not measured'
      const { value, low, high } = figure.estimate
      const percent = (share: number): string => (100 * share).toFixed(1)
      return `${percent(value)} % [${percent(low)}, ${percent(high)}] of ${figure.n.toLocaleString('en-US')}`
    })
    console.log(`| ${name} | ${arm.name} | ${cells.join(' | ')} |`)
  }
}
