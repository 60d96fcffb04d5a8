/** Tools that decide steps. */
export { VERIFIERS } from './verifiers/index.ts'
export type { Finding, Reliability, Verifier, VerifyContext } from './verifiers/verifier.ts'
