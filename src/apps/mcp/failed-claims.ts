import { asList, asObject, asText, objects } from '../../io/formats/loose.ts'

/** A claim of a step that a tool found to be wrong. */
export interface FailedClaim {
  /** What the step says. */
  found: string
  /** What is right instead, where the tool knows it. */
  expected?: string
}

/**
 * The claims that do not hold, from what a verifier keeps for programs: equations with the value that was computed,
 * claims with what holds instead, stated beside real output, arguments that do not fit a schema, tools that are not
 * there. Empty for other details.
 */
export function failedClaims(detail: unknown): FailedClaim[] {
  const whole = asObject(detail)
  const claims = objects(whole?.['claims'] ?? detail).flatMap((claim): FailedClaim[] => {
    const found = asText(claim['says']) ?? asText(claim['text'])
    const expected = asText(claim['instead']) ?? asText(claim['value'])
    return claim['holds'] === false && found !== undefined
      ? [{ found, ...(expected !== undefined && { expected }) }]
      : []
  })
  if (claims.length > 0 || whole === undefined) return claims
  const [stated, real] = [asText(whole['stated']), asText(whole['real'])]
  if (stated !== undefined && real !== undefined) return [{ found: stated.trim(), expected: real.trim() }]
  const errors = asList(whole['errors']).flatMap((e) => asText(e) ?? [])
  const offered = asList(whole['offered']).flatMap((e) => asText(e) ?? [])
  return [
    ...errors.map((found) => ({ found })),
    ...(offered.length > 0 ? [{ found: 'a tool that is not offered', expected: `one of ${offered.join(', ')}` }] : []),
  ]
}
