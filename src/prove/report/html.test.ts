import fc from 'fast-check'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { html, page, section, table } from './html.ts'
import { traceHtml } from './trace-html.ts'

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "javascript:alert('x')",
  '</style><b>',
  '\u202Etxt.exe',
  '{{7*7}}',
  '&lt;b&gt;',
]

describe('report pages', () => {
  it('show any text as text: no element, attribute or address comes from data', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(...HOSTILE)), (value) => {
        const { document } = parseHTML(
          page(value, [section(value, html`<p title="${value}">${value}</p>`, table([value], [[value]]))]),
        )
        expect(document.querySelectorAll('script, img, iframe, object, link, a, svg').length).toBe(0)
        expect(
          [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()).filter((n) => n.startsWith('on')),
        ).toEqual([])
      }),
    )
  })

  it('shows a direction override instead of obeying it', () => {
    expect(html`${'a\u202Eb'}`.html).toBe('a<span class="bidi">U+202E</span>b')
    expect(html`${'\u001b[2J\t\n'}`.html).toBe('<span class="bidi">U+001B</span>[2J\t\n')
  })

  it('marks the first wrong step and gives the evidence', () => {
    const { html: markup } = traceHtml({
      id: 't<1>',
      problem: { id: 'p', prompt: 'p' },
      steps: [
        { text: 'fine', kind: 'thought' },
        { text: '2 + 2 = 5', kind: 'thought' },
      ],
      evidence: [{ kind: 'tool', source: 'verifier:arithmetic', step: 1, verdict: 'incorrect', reason: '2 + 2 is 4' }],
      verdict: { risk: [0.1, 0.9], firstErrorProb: [0.1, 0.8, 0.1], firstError: 1 },
      source: { generator: '', dataset: '', licence: '' },
    })
    const { document } = parseHTML(`<body>${markup}</body>`)
    expect(document.querySelector('li.wrong pre')?.textContent).toBe('2 + 2 = 5')
    expect(document.querySelector('li.wrong .evidence')?.textContent).toBe('arithmetic 2 + 2 is 4')
    expect(document.querySelector('header code')?.textContent).toBe('t<1>')
  })
})
