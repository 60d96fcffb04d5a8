import type { ErrorCode, ErrorDetails } from '../core/errors.ts'
import { GradusError } from '../core/errors.ts'
import type { Usage } from '../core/words.ts'

interface FaultDetails extends ErrorDetails {
  /** How long the endpoint asks to wait before the next request, in milliseconds. */
  retryAfterMs?: number
  /** What the failed call cost all the same. */
  usage?: Partial<Usage>
}

/** A call to a model that failed: a GradusError that knows when it may be tried again and what it cost. */
export class Fault extends GradusError {
  readonly retryAfterMs: number | undefined
  readonly usage: Partial<Usage>

  constructor(code: ErrorCode, details: FaultDetails = {}) {
    super(code, details)
    this.name = 'Fault'
    this.retryAfterMs = details.retryAfterMs
    this.usage = details.usage ?? {}
  }
}

/** What a sampler threw, as a fault; a foreign error says only that the endpoint failed. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  if (thrown instanceof GradusError) {
    return new Fault(thrown.code, {
      ...(thrown.where && { where: thrown.where }),
      ...(thrown.found !== undefined && { found: thrown.found }),
      ...(thrown.expected !== undefined && { expected: thrown.expected }),
      try: thrown.try,
      cause: thrown.cause,
    })
  }
  return new Fault('GRD-CALL-004', { found: thrown instanceof Error ? thrown.message : String(thrown), cause: thrown })
}
