/**
 * Secrets that must not leave this machine, by name of the pattern.
 *
 * Three kinds, because each misses what the others see: shapes of known issuers, values that stand behind a telling
 * name (`api_key=...`), and long random-looking words of nobody known. Whole values are taken out: a few characters left
 * of a key are enough to find it. A marker holds the pattern's name, never a part of the value.
 */
const PATTERNS = {
  'private-key': /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
  /** Header, payload and signature in base64url; the first two begin with `{"`. */
  jwt: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{6,}/g,
  'url-password': /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}(?=@)/gi,
  'provider-key': /\b(?:sk|pk|rk|hf|gsk|xai|nvapi|r8|pplx|tvly)[-_][\w-]{12,}|\bAIza[\w-]{30,}/g,
  'aws-key': /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  'code-host-token': /\b(?:gh[opusr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_\w{20,}|pypi-[\w-]{20,})/g,
  'chat-token': /\bxox[abeoprs]-[\w-]{10,}/g,
  bearer: /(?<=\b(?:Bearer|Basic|Token)\s{1,3})[\w.~+/-]{12,}={0,2}/g,
  /** `password: x`, `"api_key": "x"`, `SECRET_TOKEN=x`; the name stays, since a judge may need it. */
  'named-secret':
    /(?<=\b[\w-]{0,40}(?:passw(?:or)?d|passphrase|secret|api[-_]?key|access[-_]?key|auth[-_]?token|access[-_]?token|private[-_]?key|client[-_]?secret|credentials?)["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;(){}[\]<>]{4,}/gi,
  email: /\b[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b/g,
  /** Capitals, small letters and digits mixed, 32 and more, more than 4.2 bits a character: hashes in hex are below 4. */
  'random-word': /(?<![\w/+.-])(?=[\w+=-]{0,200}?\d)(?=[\w+=-]{0,200}?[a-z])(?=[\w+=-]{0,200}?[A-Z])[\w+=-]{32,}/g,
} as const

export type RedactionName = keyof typeof PATTERNS

/** Bits a character from which a long word counts as random; English words and identifiers stay below. */
const RANDOM_BITS = 4.2

export interface Redacted {
  text: string
  /** How many values each pattern took out; empty where the text is as it was. */
  counts: Partial<Record<RedactionName, number>>
}

/**
 * The text with every secret replaced by `[redacted:<pattern>]`. Redacting twice changes nothing more.
 * @param except patterns that are not looked for
 */
export function redact(text: string, except: readonly RedactionName[] = []): Redacted {
  const counts: Redacted['counts'] = {}
  let out = text
  for (const [name, pattern] of Object.entries(PATTERNS) as [RedactionName, RegExp][]) {
    if (except.includes(name)) continue
    out = out.replace(pattern, (value) => {
      if (value.startsWith('[redacted:')) return value
      if (name === 'random-word' && bitsPerCharacter(value) < RANDOM_BITS) return value
      counts[name] = (counts[name] ?? 0) + 1
      return `[redacted:${name}]`
    })
  }
  return { text: out, counts }
}

/** Shannon entropy of the characters, bits. */
function bitsPerCharacter(text: string): number {
  const seen = new Map<string, number>()
  for (const c of text) seen.set(c, (seen.get(c) ?? 0) + 1)
  let bits = 0
  for (const n of seen.values()) bits -= (n / text.length) * Math.log2(n / text.length)
  return bits
}
