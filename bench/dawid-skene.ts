/**
 * Dawid-Skene over a million items and eight sources: `node bench/dawid-skene.ts [items] [rounds]`.
 *
 * Votes of planted sources over three classes, one in five abstaining; every round is done (no early stop). Prints the
 * seconds of the whole fit (grouping, rounds, source reports, dependence) and how well the planted accuracies return.
 */
import { random } from '../src/core/seeds.ts'
import { dawidSkene } from '../src/label/label-models/dawid-skene.ts'
import { simulateVotes } from '../src/label/label-models/simulate.ts'

const items = Number(process.argv[2] ?? 1_000_000)
const rounds = Number(process.argv[3] ?? 100)
const planted = [0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5].map((accuracy) => ({ accuracy, coverage: 0.8 }))
const { votes } = simulateVotes(random('bench/dawid-skene'), items, [0.5, 0.3, 0.2], planted)
const start = performance.now()
const fitted = dawidSkene.fit(votes, { iterations: rounds, tolerance: 0 })
const seconds = (performance.now() - start) / 1000
const off = fitted.sources.map((s, i) => Math.abs((s.accuracy ?? 0) - planted[i]!.accuracy))
const largest = Math.max(...off)
console.log(JSON.stringify({ items, sources: planted.length, rounds, seconds, largestError: largest }))
console.log(
  `| Dawid-Skene, ${items.toLocaleString('en-US')} items x ${planted.length} sources, ${rounds} rounds | ${seconds.toFixed(2)} s | largest error of an estimated accuracy: ${largest.toFixed(4)} |`,
)
