import type { Figure } from '../../../prove/benchmarks/benchmark.ts'
import type { Replication, ReplicationResult } from '../../../prove/replication.ts'
import { decimal } from '../../../prove/report/text.ts'

/** A replication's table and last lines, for a person; controls are marked, intervals stand with the numbers. */
export function replicationText(replication: Replication, result: ReplicationResult): string {
  return [
    `${replication.paper}   ${replication.title}`,
    '',
    ...result.settings.flatMap(({ name, arms }) => [...table(name, arms), '']),
    ...rows([
      ['claim', replication.claim],
      ['fails if', replication.failsIf],
      ['setting', replication.setting],
      ...result.notes.map((note, i): [string, string] => [i === 0 ? 'notes' : '', note]),
      ['verdict', `${result.outcome}: ${result.because}`],
    ]),
    '',
  ].join('\n')
}

function table(name: string, arms: ReplicationResult['settings'][number]['arms']): string[] {
  const heads = arms[0]?.figures.map((f) => f.name) ?? []
  const body = arms.map((arm) => [`${arm.name}${arm.control ? ' (control)' : ''}`, ...arm.figures.map(shown)])
  const all = [[name, ...heads], ...body]
  const width = [0, ...heads.map((_, i) => i + 1)].map((c) => Math.max(...all.map((row) => row[c]?.length ?? 0)))
  return all.map((row, r) => {
    const cells = row.map((cell, c) => (c === 0 ? cell.padEnd(width[0] ?? 0) : cell.padStart(width[c] ?? 0)))
    return `${r === 0 ? '  ' : '    '}${r === 0 ? cells.join('    ').replace(/^(.*?)( {4})/, '$1  $2') : cells.join('    ')}`
  })
}

/** Shares as `.812 [.790, .830]`, counts with one decimal. */
function shown({ estimate: { value, low, high } }: Figure): string {
  const text = (x: number): string => (value > 1.5 ? x.toFixed(1) : decimal(x))
  return Number.isNaN(value) ? '-' : `${text(value)} [${text(low)}, ${text(high)}]`
}

function rows(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.map(([head, text]) => `  ${head.padEnd(9)} ${text}`)
}
