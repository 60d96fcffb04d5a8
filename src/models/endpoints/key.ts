import { GradusError } from '../../core/errors.ts'

/** What common providers' keys look like, for messages that quote another key than ours. */
const KEY_SHAPES = /\b(?:sk|pk|rk|hf|gsk|xai|nvapi|AIza)[-_][A-Za-z0-9_-]{12,}|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*/g
const HIDDEN = '[key]'

/**
 * A secret that is known by the name of its environment variable only.
 *
 * The value is read when a request is made and is in no field, so that printing, logging, hashing or storing this
 * object shows the name.
 */
export class Key {
  readonly from: string

  /** @param from name of the environment variable */
  constructor(from: string) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(from)) {
      // The text is not shown: it may be the key itself.
      throw new GradusError('GRD-CLI-002', {
        found: 'a key where the name of an environment variable belongs',
        expected: 'a name such as OPENAI_API_KEY',
        try: ['put the key into an environment variable and give its name'],
      })
    }
    this.from = from
  }

  /** @throws GradusError GRD-CALL-002 when the variable is empty or absent */
  read(): string {
    const value = process.env[this.from]?.trim()
    if (value) return value
    throw new GradusError('GRD-CALL-002', {
      found: `the environment variable ${this.from} is empty`,
      try: [`export ${this.from}=...`],
    })
  }

  /** The text with the key, and whatever looks like one, blacked out. */
  redact(text: string): string {
    const value = process.env[this.from]?.trim()
    const own = value && text.includes(value) ? text.replaceAll(value, HIDDEN) : text
    return redactKeys(own)
  }

  /** Only our own key: for answers, where other text must stay as it is. */
  hide(text: string): string {
    const value = process.env[this.from]?.trim()
    return value && text.includes(value) ? text.replaceAll(value, HIDDEN) : text
  }
}

/** The text with everything that looks like a provider's key blacked out. */
export function redactKeys(text: string): string {
  return text.replace(KEY_SHAPES, HIDDEN)
}
