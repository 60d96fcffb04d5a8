import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RedactionName, redact } from './redact.ts'
import { random } from './seeds.ts'

/** Made here, so that no scanner takes this file for a leak. */
const letters = (
  name: string,
  length: number,
  from = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789',
): string => {
  const draw = random(`redact-test/${name}`)
  return Array.from({ length }, () => draw.pick([...from])).join('')
}
const jwt = `eyJ${letters('h', 17)}.eyJ${letters('p', 40)}.${letters('s', 43)}`

const SECRETS: [RedactionName, string, string][] = [
  ['provider-key', `sk-${letters('a', 40)}`, 'key: VALUE is used'],
  ['provider-key', `hf_${letters('b', 34)}`, 'token VALUE.'],
  ['provider-key', `AIza${letters('c', 35)}`, 'url?key=VALUE&x=1'],
  ['aws-key', `AKIA${letters('d', 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`, 'id VALUE'],
  ['code-host-token', `ghp_${letters('e', 36)}`, 'git clone with VALUE'],
  ['chat-token', `xoxb-${letters('f', 24)}`, 'slack VALUE'],
  ['jwt', jwt, 'cookie VALUE;'],
  ['bearer', letters('g', 30), 'Authorization: Bearer VALUE'],
  ['url-password', 'hunter2!x', 'postgres://app:VALUE@db.internal:5432/x'],
  ['named-secret', 'correct-horse', 'DB_PASSWORD=VALUE'],
  ['named-secret', 'qwerty12', '{"client_secret": "VALUE"}'],
  ['email', 'ada.lovelace@example.co.uk', 'mail VALUE today'],
  ['random-word', letters('i', 48), 'nobody knows VALUE here'],
  [
    'private-key',
    `-----BEGIN RSA PRIVATE KEY-----\n${letters('k', 300)}\n-----END RSA PRIVATE KEY-----`,
    'file:\nVALUE\n',
  ],
]

describe('redaction', () => {
  it.each(SECRETS)('takes the whole value out: %s %#', (name, value, frame) => {
    const { text, counts } = redact(frame.replace('VALUE', () => value))
    expect(text).toBe(frame.replace('VALUE', `[redacted:${name}]`))
    expect(counts).toEqual({ [name]: 1 })
  })

  it('takes out a key that stands in a traceback, an address and an assignment alike', () => {
    const key = `sk-${letters('t', 40)}`
    const { text } = redact(`raise E("bad ${key}")\nGET https://h/x?k=${key}\nOPENAI_API_KEY='${key}'`)
    expect(text).not.toContain(key.slice(3, 9))
  })

  it('leaves what reasoning and agent traces are full of', () => {
    const plain = [
      'Step 3: 17 + 28 = 45, so x = 3.5e-10 and \\frac{1}{2} + \\sqrt{2} = ?',
      'commit 9fceb02d0ae598e95dc970b74767f19372d61af8, sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '123e4567-e89b-12d3-a456-426614174000',
      'src/main/java/org/example/AbstractSingletonProxyFactoryBeanGeneratorTest2.java',
      'the password is in the vault; a secret of success; Token budget: 100',
      'get_user_details_by_reservation_number_and_last_name_v2',
      'https://example.com/a/b?c=d#e  @decorator  user@host',
    ]
    for (const text of plain) expect(redact(text)).toEqual({ text, counts: {} })
  })

  it('changes nothing the second time, whatever the text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...SECRETS.map(([, v, f]) => f.replace('VALUE', () => v))),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const once = redact(pieces.join(' '))
        const twice = redact(once.text)
        expect(twice).toEqual({ text: once.text, counts: {} })
      }),
      { numRuns: 40 },
    )
  })

  it('takes time in proportion to the text', () => {
    for (const piece of ['a1B', '-----BEGIN PRIVATE KEY-----', 'password:', 'x@y.', 'http://a:', 'eyJaaaaaaaa.']) {
      const text = piece.repeat(200_000 / piece.length)
      // CPU time: others may have the cores.
      const begun = process.cpuUsage()
      redact(text)
      expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(2_000)
    }
  })
})
