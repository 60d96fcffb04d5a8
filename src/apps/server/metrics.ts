/** Upper edges of the latency histogram, seconds: around the 50 ms that a training loop does not notice. */
const EDGES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

/** What a server counts, in the text form of Prometheus (version 0.0.4). Memory does not grow with requests. */
export class Metrics {
  readonly #requests = new Map<string, number>()
  readonly #lines: Record<'scored' | 'abstained' | 'failed', number> = { scored: 0, abstained: 0, failed: 0 }
  readonly #buckets = new Array<number>(EDGES.length + 1).fill(0)
  #seconds = 0
  #queued: () => number

  /** @param queued lines that wait or are being scored */
  constructor(queued: () => number) {
    this.#queued = queued
  }

  /** @param route as declared, never as typed: an address made up by a client must not become a label */
  request(route: string, status: number, seconds: number): void {
    const key = `${route}",status="${status}`
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    const at = EDGES.findIndex((edge) => seconds <= edge)
    const bucket = at < 0 ? EDGES.length : at
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#seconds += seconds
  }

  lines(outcome: 'scored' | 'abstained' | 'failed', count = 1): void {
    this.#lines[outcome] += count
  }

  text(): string {
    const out: string[] = []
    const metric = (name: string, type: string, help: string, rows: readonly [string, number][]): void => {
      out.push(
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...rows.map(([labels, value]) => `${name}${labels} ${value}`),
      )
    }
    metric(
      'gradus_requests_total',
      'counter',
      'Requests answered.',
      [...this.#requests].map(([key, n]) => [`{route="${key}"}`, n]),
    )
    metric(
      'gradus_lines_total',
      'counter',
      'Solutions by what became of their score.',
      Object.entries(this.#lines).map(([outcome, n]) => [`{outcome="${outcome}"}`, n]),
    )
    metric('gradus_queued_lines', 'gauge', 'Solutions that wait or are being scored.', [['', this.#queued()]])
    metric('process_resident_memory_bytes', 'gauge', 'Memory of the process.', [['', process.memoryUsage.rss()]])
    out.push('# HELP gradus_request_seconds Time to answer.', '# TYPE gradus_request_seconds histogram')
    let sum = 0
    for (const [i, n] of this.#buckets.entries()) {
      sum += n
      out.push(`gradus_request_seconds_bucket{le="${EDGES[i] ?? '+Inf'}"} ${sum}`)
    }
    out.push(`gradus_request_seconds_sum ${this.#seconds}`, `gradus_request_seconds_count ${sum}`)
    return `${out.join('\n')}\n`
  }
}
