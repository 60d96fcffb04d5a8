/**
 * `gradus label` as a whole process on 3,000 GSM8K-like traces without code execution, and `gradus --help` of the
 * built program.
 *
 *   npm run build && node bench/label.ts
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/core/seeds.ts'

const TRACES = 3_000
const ROUNDS = 5
const bin = join(import.meta.dirname, '..', 'dist', 'apps', 'cli', 'main.mjs')
if (!existsSync(bin)) throw new Error('npm run build first')

const folder = await mkdtemp(join(tmpdir(), 'gradus-bench-'))
const file = join(folder, 'traces.jsonl')
await writeFile(file, Array.from({ length: TRACES }, (_, i) => JSON.stringify(wordProblem(i))).join('\n'))
const label = times(['label', file, '--no-code', '--json', '-o', join(folder, 'out.jsonl')])
const help = times(['--help'])
await rm(folder, { recursive: true })

console.log(JSON.stringify({ labelSeconds: label, helpMilliseconds: help * 1000 }))
console.log(`| gradus label, ${TRACES.toLocaleString('en-US')} traces | ${label.toFixed(2)} s |`)
console.log(`| gradus --help, built | ${(help * 1000).toFixed(0)} ms |`)

/** Median wall time of a whole process, seconds. */
function times(args: readonly string[]): number {
  const seconds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now()
    const { status, stderr } = spawnSync(process.execPath, [bin, ...args])
    if (status !== 0) throw new Error(String(stderr))
    return (performance.now() - start) / 1000
  })
  return seconds.sort((a, b) => a - b)[ROUNDS >> 1]!
}

/** Six steps of shopping arithmetic, one in three traces with a slip. */
function wordProblem(i: number): unknown {
  const draw = random(`bench/label/${i}`)
  const steps: string[] = []
  let total = 10 + draw.below(90)
  for (let s = 0; s < 6; s++) {
    const n = 2 + draw.below(40)
    const next = s % 2 === 0 ? total + n : total * 2
    const stated = draw.below(18) === 0 ? next + 1 : next
    steps.push(
      s % 2 === 0
        ? `She buys ${n} more apples, so she has ${total} + ${n} = ${stated} apples now.`
        : `Her brother doubles what she has: \\(${total} \\times 2 = ${stated}\\).`,
    )
    total = stated
  }
  return {
    id: `p${i}`,
    generator: 'bench',
    problem: `Problem ${i}: how many apples does she have?`,
    steps,
    final_answer_correct: false,
    label: -1,
  }
}
