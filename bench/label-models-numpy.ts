/**
 * Dawid-Skene and triplets against a vectorised numpy program in the same run: `node bench/label-models-numpy.ts`.
 *
 * Same votes, start, rounds and smoothing; posteriors are compared cell by cell. Gradus' time is that of the whole fit,
 * with its reports on sources and their dependence, which numpy's leaves out; a third row lets numpy group equal rows too.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/core/seeds.ts'
import { dawidSkene } from '../src/label/label-models/dawid-skene.ts'
import { flyingSquid } from '../src/label/label-models/flying-squid.ts'
import { simulateVotes } from '../src/label/label-models/simulate.ts'
import { voteShares } from '../src/label/label-models/votes.ts'
import { pythonWith, runPeer } from './peers/python.ts'

const ITEMS = 1_000_000
const ROUNDS = 50
const SMOOTHING = 0.01
const planted = [0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5].map((accuracy) => ({ accuracy, coverage: 0.8 }))

const python = pythonWith('numpy', 'python3-numpy')
if (python !== null) {
  const { votes } = simulateVotes(random('bench/label-models-numpy'), ITEMS, [0.5, 0.3, 0.2], planted)
  const folder = mkdtempSync(join(tmpdir(), 'gradus-votes-'))
  try {
    writeFileSync(join(folder, 'votes'), votes.votes)
    const job = {
      votes: join(folder, 'votes'),
      items: ITEMS,
      sources: planted.length,
      classes: 3,
      prior: [...voteShares(votes)],
      rounds: ROUNDS,
      smoothing: SMOOTHING,
      out: join(folder, 'posterior'),
    }
    const [own, ownSeconds] = timed(() =>
      dawidSkene.fit(votes, { iterations: ROUNDS, tolerance: 0, smoothing: SMOOTHING }),
    )
    const [triplets, tripletSeconds] = timed(() => flyingSquid.fit(votes))
    for (const threads of [undefined, 1]) {
      const { numpy, seconds } = runPeer(python, 'label_models.py', job, threads) as {
        numpy: string
        seconds: Record<string, number>
      }
      for (const [name, theirs] of Object.entries(seconds)) {
        const [mine, posterior] = name === 'triplets' ? [tripletSeconds, triplets] : [ownSeconds, own]
        const bytes = readFileSync(`${job.out}.${name}`)
        const other = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
        let off = 0
        other.forEach((p, i) => {
          off = Math.max(off, Math.abs(p - posterior.posterior[i]!))
        })
        const row = { name, numpy, threads: threads ?? 'all', gradus: mine, theirs, times: theirs / mine, off }
        console.log(JSON.stringify(row))
        console.log(
          `| ${name}, 1 M items x 8, against numpy ${numpy} (${row.threads} threads) | ${mine.toFixed(2)} s against ${theirs.toFixed(2)} s: ${row.times.toFixed(2)} times as fast | largest difference ${off.toExponential(1)} |`,
        )
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function timed<T>(work: () => T): [T, number] {
  const began = performance.now()
  const value = work()
  return [value, (performance.now() - began) / 1000]
}
