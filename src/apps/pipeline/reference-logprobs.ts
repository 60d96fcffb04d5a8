import { GradusError } from '../../core/errors.ts'
import type { Trace } from '../../core/words.ts'
import type { Policy } from '../../models/policies/policy.ts'
import { isOwn } from './credit.ts'

/**
 * Log-probabilities of the tokens of each trace under another policy, one list a step.
 *
 * The last token of an attempt is the one that ends it, which a given text cannot hold: it counts as equally probable
 * for both.
 * @throws GradusError GRD-LABEL-004 for traces without tokens or of another tokenizer, and where the policy cannot say
 */
export async function referenceLogprobs(
  traces: readonly Trace[],
  policy: Policy,
  signal?: AbortSignal,
): Promise<number[][][]> {
  return await Promise.all(traces.map((trace) => ofTrace(trace, policy, signal)))
}

async function ofTrace(trace: Trace, policy: Policy, signal?: AbortSignal): Promise<number[][]> {
  const { steps } = trace
  const fail = (found: string, expected: string): never => {
    throw new GradusError('GRD-LABEL-004', { where: { field: trace.id }, found, expected })
  }
  if (!policy.logprobs) fail(policy.name, 'a policy that says how probable a given text is')
  if (steps.some((step) => isOwn(step) && !step.tokens)) {
    fail(
      'steps without tokens',
      'traces that hold the tokens and log-probabilities of the policy, as gradus sample writes',
    )
  }
  const weighed = await policy.logprobs?.(
    trace.problem,
    [],
    steps.map(({ text }) => text),
    signal,
  )
  if (!weighed?.ok) throw weighed?.error ?? new GradusError('GRD-CALL-008')
  const sizes = steps.map((step) => step.tokens?.ids.length ?? null)
  const known = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  if (sizes.every((size) => size !== null) && known !== weighed.logprobs.length) {
    fail(`${known} tokens, by ${policy.name} ${weighed.logprobs.length}`, 'the same tokenizer')
  }
  let at = 0
  return steps.map((step, t) => {
    const own = step.tokens?.logprobs ?? []
    const list = weighed.logprobs.slice(at, at + own.length)
    at += own.length
    if (t === steps.length - 1) list[own.length - 1] = own.at(-1) ?? 0
    return list
  })
}
