/**
 * Answer equality against a grader on sympy, in the same run and on the same pairs: `node bench/answers-sympy.ts`.
 *
 * Processor seconds of both; "wrong" = a verdict that is not the truth, "unknown" is counted beside.
 */
import { equal } from '../src/worlds/answers/equal.ts'
import { generatePairs } from '../src/worlds/answers/generate-pairs.ts'
import { TROUBLE_PAIRS } from '../src/worlds/answers/trouble-pairs.ts'
import { pythonWith, runPeer } from './peers/python.ts'

const python = pythonWith('sympy', 'python3-sympy')
if (python !== null) {
  const pairs = [...TROUBLE_PAIRS, ...generatePairs('bench/sympy', 4_000)]
  for (const { a, b } of pairs.slice(0, 200)) equal(a, b)
  const start = process.cpuUsage()
  const own = pairs.map(({ a, b }) => equal(a, b).verdict)
  const used = process.cpuUsage(start)
  const seconds = (used.user + used.system) / 1e6
  const peer = runPeer(python, 'answers.py', { pairs: pairs.map(({ a, b }) => [a, b]) }) as {
    sympy: string
    seconds: number
    said: string[]
  }
  const wrong = (said: readonly string[]): number =>
    said.filter((verdict, i) => verdict !== 'unknown' && verdict !== pairs[i]!.truth).length
  const falseEqual = (said: readonly string[]): number =>
    said.filter((verdict, i) => verdict === 'equal' && pairs[i]!.truth !== 'equal').length
  const result = {
    pairs: pairs.length,
    gradus: {
      seconds,
      wrong: wrong(own),
      falseEqual: falseEqual(own),
      unknown: own.filter((v) => v === 'unknown').length,
    },
    sympy: { version: peer.sympy, seconds: peer.seconds, wrong: wrong(peer.said), falseEqual: falseEqual(peer.said) },
    times: peer.seconds / seconds,
  }
  console.log(JSON.stringify(result))
  console.log(
    `| answer equality against a grader on sympy ${peer.sympy}, ${pairs.length} pairs | ${result.times.toFixed(0)} times as fast | wrong ${result.gradus.wrong} (unknown ${result.gradus.unknown}) against ${result.sympy.wrong}; false "equal" ${result.gradus.falseEqual} against ${result.sympy.falseEqual} |`,
  )
}
