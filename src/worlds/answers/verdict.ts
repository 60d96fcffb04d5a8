/** What is said about two answers: `unknown` means that neither equality nor difference was shown. */
export interface Verdict {
  verdict: 'equal' | 'different' | 'unknown'
  /** One clause for people. */
  reason: string
  /** What decided: `identical`, `text`, `canonical`, `evaluation`, `structure`, `units`, `choice`, `tolerance`, `limits`. */
  method: string
}

export const equalBy = (method: string, reason: string): Verdict => ({ verdict: 'equal', reason, method })
export const different = (method: string, reason: string): Verdict => ({ verdict: 'different', reason, method })
export const unknown = (reason: string, method = 'none'): Verdict => ({ verdict: 'unknown', reason, method })
