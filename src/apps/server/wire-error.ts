import type { ErrorCode, GradusError } from '../../core/errors.ts'

/** Longer than the context of a model in this process, or behind it. */
const TOO_LONG: readonly ErrorCode[] = ['GRD-MODEL-002', 'GRD-CALL-009']

/** The request's own fault: asked again it would fail again, so that a client must not be told to retry (as by 5xx). */
const OF_THE_REQUEST: readonly ErrorCode[] = [...TOO_LONG, 'GRD-SERVE-001', 'GRD-MODEL-001', 'GRD-WORLD-001']

export const isOfTheRequest = (error: GradusError): boolean => OF_THE_REQUEST.includes(error.code)

/** An error as OpenAI's clients know it: `{error: {message, type, param, code}}`. */
export function wireError(error: GradusError) {
  const code = TOO_LONG.includes(error.code) ? 'context_length_exceeded' : error.code
  const expected = error.expected === undefined ? [] : [`expected ${error.expected}`]
  const message = [error.message, ...expected, ...error.try.slice(0, 1)].join('; ')
  return { error: { message, type: 'invalid_request_error', param: error.where?.field ?? null, code } }
}
