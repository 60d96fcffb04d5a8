import type { JobStatus, WorkerStatus } from '../../../engine/distributed/catalogue.ts'
import { columns, count } from './style.ts'

/** One line for a person who waits. */
export function jobLine(status: JobStatus, workers: readonly WorkerStatus[]): string {
  const { items, rate, spent, callsUnderWay } = status
  return [
    `${count(items.done)} of ${count(items.total)} items`,
    status.state === 'running' ? '' : status.state,
    rate.items > 0 ? `${pace(rate.items)}/s` : '',
    rate.secondsLeft ? `${duration(rate.secondsLeft)} left` : '',
    workers.length === 0 ? 'no workers: gradus worker --database-url ...' : `${count(workers.length)} workers`,
    callsUnderWay > 0 ? `${count(callsUnderWay)} calls under way` : '',
    spending(spent),
  ]
    .filter((part) => part !== '')
    .join('   ')
}

/** What a job came to. */
export function jobEnd(status: JobStatus, output: string | undefined): string {
  const { items, shards, spent } = status
  const { traces = 0 } = status.counts
  const reason = reasonOf(status.reason)
  const lines = [
    `  ${count(items.done)} of ${count(items.total)} items in ${count(shards.total)} shards   ${counted(status.counts)}`,
    `  ${spending(spent)}${status.inDoubt > 0 ? `   ${count(status.inDoubt)} calls in doubt (their workers died)` : ''}`,
    ...failures(status),
  ]
  if (status.state === 'stopped') lines.push(`  stopped: ${reason}   the same command goes on`)
  if (status.state === 'running' || status.state === 'paused') {
    lines.push(`  ${status.state}: the job goes on with its workers; the same command waits for it again`)
  } else if (output !== undefined && output !== '-' && traces > 0) lines.push(`  ${output}   job ${status.job}`)
  if (output === undefined) lines.push(`  ${status.results}/${status.job}/output   add -o FILE to have it as one file`)
  return `${lines.join('\n')}\n`
}

/** All jobs and workers, as `gradus status` prints them. */
export function statusText(jobs: readonly JobStatus[], workers: readonly WorkerStatus[]): string {
  if (jobs.length === 0) return '  no jobs\n'
  const lines: string[] = []
  for (const job of jobs) {
    const { items, shards, rate } = job
    const share = items.total === 0 ? '' : `   ${((100 * items.done) / items.total).toFixed(1)} %`
    const left = rate.secondsLeft && job.state === 'running' ? `   ${duration(rate.secondsLeft)} left` : ''
    lines.push(
      `  ${job.job}   ${job.state}${job.state === 'stopped' ? `: ${reasonOf(job.reason)}` : ''}   priority ${job.priority}`,
      `    ${count(items.done)} of ${count(items.total)} items${share}   ${count(shards.done)} of ${count(shards.total)} shards, ${count(shards.inHand)} in hand`,
      `    ${pace(rate.items)} items/s   ${pace(rate.calls)} calls/s${left}   ${count(job.callsUnderWay)} calls under way`,
      `    ${spending(job.spent)}${job.inDoubt > 0 ? `   ${count(job.inDoubt)} in doubt` : ''}${limits(job)}`,
      ...failures(job).map((line) => `  ${line}`),
    )
  }
  lines.push(`  ${count(workers.length)} workers`)
  if (workers.length > 0) {
    const rows = workers.map((w) => [w.name, `${w.shards} shards`, `${count(w.callsUnderWay)} calls`])
    lines.push(...columns(rows).map((line) => `    ${line}`))
  }
  return `${lines.join('\n')}\n`
}

function failures({ failedCalls, lost }: JobStatus): string[] {
  const byCode = (all: Record<string, number>): string =>
    Object.entries(all)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, n]) => `${code} ${count(n)}`)
      .join('   ')
  return [
    ...(Object.keys(failedCalls).length > 0
      ? [`  calls that failed and were tried again: ${byCode(failedCalls)}`]
      : []),
    ...Object.entries(lost).map(
      ([code, { count: n, first }]) => `  lost for good: ${code} ${count(n)}   ${reasonOf(first)}`,
    ),
  ]
}

function limits({ limits: { calls, tokens, cost, callsPerSecond } }: JobStatus): string {
  const parts = [
    calls === undefined ? '' : `${count(calls)} calls`,
    tokens === undefined ? '' : `${count(tokens)} tokens`,
    cost === undefined ? '' : `$${cost}`,
    callsPerSecond === undefined ? '' : `${callsPerSecond} calls/s`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : `   at most ${parts.join(', ')}`
}

function spending({ calls, promptTokens, completionTokens, cost }: JobStatus['spent']): string {
  const money = cost === undefined ? '' : `   $${cost.toFixed(2)}`
  return `${count(calls)} calls   ${count(promptTokens + completionTokens)} tokens${money}`
}

function counted(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, n]) => `${count(n)} ${name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}`)
    .join('   ')
}

function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { code, title, found } = error as { code?: unknown; title?: unknown; found?: unknown }
  return [code, title].filter(Boolean).join(' ') + (found === undefined ? '' : `: ${String(found)}`)
}

const pace = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: n < 10 ? 2 : 0 })

/** `40 s`, `3 min`, `2.5 h`, `4.1 days`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  if (seconds < 5_400) return `${Math.ceil(seconds / 60)} min`
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} days`
}
