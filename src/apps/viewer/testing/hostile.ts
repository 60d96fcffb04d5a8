import type { Trace } from '../../../core/words.ts'

/** Sets `window.hacked` if any of it runs; asks `evil.test` if anything is loaded. */
const ATTACKS = [
  '<script>window.hacked = 1</script>',
  '<img src="x" onerror="window.hacked = 1">',
  '<svg onload="window.hacked = 1"><a xlink:href="javascript:window.hacked = 1"><text>x</text></a></svg>',
  '[a link](javascript:window.hacked=1) ![an image](http://evil.test/a.png)',
  '"><iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  '</textarea></style><style>body { background: url(http://evil.test/b.png) }</style>',
  '<link rel="stylesheet" href="http://evil.test/c.css"><base href="http://evil.test/">',
  '{{constructor.constructor("window.hacked = 1")()}}',
]

/** Formulas that are broken, endless, or try to link, load or restyle. */
const FORMULAS = [
  '$\\href{javascript:window.hacked=1}{x}$',
  '$\\includegraphics{http://evil.test/d.png}$',
  '$\\htmlStyle{background:url(http://evil.test/e.png)}{x}$',
  '$\\style{position:fixed;inset:0}{x}$ $\\color{red;background:url(http://evil.test/f.png)}{x}$',
  '$\\frac{1}{$ \\(\\sqrt{\\) \\[\\begin{array}\\] $$\\left( x$$',
  '\\(\\def\\a{\\a\\a}\\a\\) \\(\\newcommand{\\b}{\\b\\b}\\b\\)',
  `$${'{'.repeat(800)}x${'}'.repeat(800)}$`,
  `$\\rule{99999em}{99999em}$ $\\kern{-9999em}x$`,
  '$\\text{<img src=x onerror=window.hacked=1>}$ $\\text{safe\u202Eexe}$',
]

const BLOCKS = [
  '```html\n<script>window.hacked = 1</script>\n```',
  '```" onmouseover="window.hacked=1\nx\n```',
  '```diff\n+<img src=x onerror=window.hacked=1>\n```',
]

/** Lines that look other than they are. */
const DISGUISES = ['safe\u202Etxt.exe', 'a\u0000b\u0007c', 'pay\u200bpal \u2066hidden\u2069', 'tag\u{e0041}']

/** One of them is a picture; the others point elsewhere or could run. */
const PICTURES = [
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'http://evil.test/g.png',
  '//evil.test/h.png',
  '../../../../etc/hostname',
  'javascript:window.hacked=1',
  `data:image/svg+xml;base64,${btoa('<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked=1"/>')}`,
]

/** Characters of the largest step. */
export const LARGEST = 5_000_000

/** Text of an attack that a reader must see as it is. */
export const SEEN = '<img src="x" onerror="window.hacked = 1">'

/**
 * Traces that try to run, to load, to hide and to choke: every text of a trace, tool calls, results, evidence and
 * names included.
 */
export function hostileTraces(): Trace[] {
  const all = [...ATTACKS, ...FORMULAS, ...BLOCKS, ...DISGUISES]
  const attack = ATTACKS.join('\n')
  return [
    {
      id: `hostile ${ATTACKS[1]}`,
      problem: {
        id: 'p',
        prompt: attack,
        answer: attack,
        solution: [attack],
        domain: ATTACKS[0]!,
        context: [{ kind: 'images', images: PICTURES.map((path) => ({ path, type: 'image/png' })) }],
      },
      steps: [
        ...all.map((text) => ({ text, kind: 'thought' as const, agent: ATTACKS[1]! })),
        {
          text: '',
          kind: 'action' as const,
          action: { tool: ATTACKS[0]!, input: { code: attack, [ATTACKS[1]!]: 1 } },
          observation: attack,
        },
      ],
      answer: attack,
      outcome: 0,
      evidence: [
        { kind: 'judgement', source: ATTACKS[1]!, step: 0, verdict: 'incorrect', reason: attack },
        { kind: 'tool', source: 'tool', step: 0, verdict: 'incorrect', reason: attack, detail: { attack } },
        { kind: 'rollouts', source: 'mc', step: 0, successes: 1, trials: 2, completions: [attack, ...FORMULAS] },
        { kind: 'imported', source: 'file', step: 0, raw: attack, annotator: attack },
      ],
      labels: [{ meaning: 'first-error', value: 0, source: ATTACKS[1]! }],
      source: { generator: ATTACKS[1]!, dataset: ATTACKS[0]!, licence: ATTACKS[2]! },
    },
    {
      id: 'large',
      problem: { id: 'q', prompt: `data:image/png;base64,${'QUJD'.repeat(60_000)}` },
      steps: [
        { text: `start ${'word '.repeat(LARGEST / 5 - 3)}the end`, kind: 'thought' },
        { text: `${'$x$ '.repeat(5_000)}`, kind: 'thought' },
        { text: 'look', kind: 'action', observation: `{"a": ${'['.repeat(5_000)}` },
      ],
      source: { generator: '', dataset: '', licence: 'unknown' },
    },
  ]
}
