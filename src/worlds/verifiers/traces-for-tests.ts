import { random } from '../../core/seeds.ts'
import type { ToolVerdict, Trace } from '../../core/words.ts'
import type { Finding, Verifier } from './verifier.ts'

/** A trace as a verifier sees it: prompt and steps, no labels. */
export const traceOf = (prompt: string, steps: readonly string[]): Trace => ({
  id: 't',
  problem: { id: 'p', prompt },
  steps: steps.map((text) => ({ text, kind: 'thought' })),
  source: { generator: '', dataset: '', licence: '' },
})

export async function findingsOf(verifier: Verifier, prompt: string, steps: readonly string[]): Promise<Finding[]> {
  return verifier.verify(traceOf(prompt, steps), { allowCode: false, allowLocalExec: false })
}

/** Index of the first step found wrong; -1 = none. */
export async function firstWrong(verifier: Verifier, prompt: string, steps: readonly string[]): Promise<number> {
  return (await findingsOf(verifier, prompt, steps)).findIndex((f) => f.verdict === 'incorrect')
}

export const verdictsOf = async (
  verifier: Verifier,
  prompt: string,
  steps: readonly string[],
): Promise<ToolVerdict[]> => (await findingsOf(verifier, prompt, steps)).map((f) => f.verdict)

/** Texts that have nothing to do with any procedure, or look like one and are broken. */
export const GARBAGE: readonly string[] = [
  '',
  ' ',
  '\n\n\n',
  'stack: stack: stack',
  'So the answer is',
  'the answer is the answer is (',
  '((((((((((((((((((((((((((((((',
  '= = = = -',
  'A = B = A = ',
  '1 / 0 = 1 / 0',
  'and and swap swap: : ,',
  '"" < "" < [ ? ] < (99999999999999999999)',
  '"a": "" (0). : "b"',
  'from left to right: first is, then',
  'So from a to b: zeroth is the',
  '\u0000\ud800 \u{1f600} 😀 ﷽',
  `${'['.repeat(5_000)}${'A = ('.repeat(2_000)}`,
  `${'a'.repeat(20_000)} swap`,
  'a '.repeat(5_000),
  'Ann and '.repeat(3_000),
  `from left to right: ${'first, '.repeat(3_000)}`,
  `Ann is 5 ${'more '.repeat(2_000)}`,
  '"a" < '.repeat(2_000),
]

/** Every verdict on garbage must be reached without an error; the steps are put after each given beginning. */
export async function surviveGarbage(verifier: Verifier, prompts: readonly string[]): Promise<number> {
  let steps = 0
  const r = random('verifiers/garbage')
  for (const prompt of [...prompts, ...GARBAGE]) {
    const mixed = r.shuffle(GARBAGE)
    const trace = traceOf(prompt, mixed)
    verifier.applies(trace)
    const findings = await findingsOf(verifier, prompt, mixed)
    if (findings.length !== mixed.length) throw new Error(`${findings.length} findings for ${mixed.length} steps`)
    steps += findings.length
  }
  return steps
}
