import { equal } from '../src/worlds/answers/equal.ts'
import { generatePairs } from '../src/worlds/answers/generate-pairs.ts'
import { TROUBLE_PAIRS } from '../src/worlds/answers/trouble-pairs.ts'

/** Answer equality on the public trouble pairs and on generated pairs; `node bench/equal.ts`. */
const ROUNDS = 5
const pairs = [...TROUBLE_PAIRS, ...generatePairs('bench', 1_000)]

const count = { falseEqual: 0, falseDifferent: 0, unknown: 0, equalPairs: 0 }
for (const { a, b, truth } of pairs) {
  const { verdict } = equal(a, b)
  if (truth === 'equal') count.equalPairs++
  if (verdict === 'unknown') count.unknown++
  else if (verdict !== truth) count[truth === 'equal' ? 'falseDifferent' : 'falseEqual']++
}

const rates: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  // Processor time: on a shared machine the wall clock measures the neighbours.
  const start = process.cpuUsage()
  for (const { a, b } of pairs) equal(a, b)
  const used = process.cpuUsage(start)
  rates.push((pairs.length * 1e6) / (used.user + used.system))
}
rates.sort((p, q) => p - q)

const share = (n: number, of: number): number => Math.round((10_000 * n) / of) / 100
const result = {
  pairs: pairs.length,
  falseEqual: count.falseEqual,
  differentOnEqualPercent: share(count.falseDifferent, count.equalPairs),
  unknownPercent: share(count.unknown, pairs.length),
  pairsPerCpuSecond: Math.round(rates[Math.floor(ROUNDS / 2)] ?? 0),
}
console.log(JSON.stringify(result))
console.log(
  `| answer equality | ${result.pairs} pairs | ${result.falseEqual} false equal | ${result.differentOnEqualPercent} % different on equal pairs | ${result.unknownPercent} % unknown | ${result.pairsPerCpuSecond.toLocaleString('en-US')} pairs per processor second |`,
)
