import type { Evidence, Trace } from '../../core/words.ts'
import { NO_USAGE } from '../../core/words.ts'
import { VERIFIERS } from '../../worlds/verifiers/index.ts'
import type { Verifier } from '../../worlds/verifiers/verifier.ts'
import type { Line, RewardModel, Scored } from './reward.ts'

/** Verifiers that look at any line at once: they run none of its code. */
export const AT_HAND: readonly Verifier[] = VERIFIERS.filter(({ runsCode }) => !runsCode)

/** The source under which a verifier's findings are kept. */
function sourceOf(verifier: Verifier): string {
  return `verifier:${verifier.name}`
}

/** The tools among the sources of evidence that any line can be looked at with. */
export function toolsAtHand(sources: readonly string[]): Verifier[] {
  return AT_HAND.filter((verifier) => sources.includes(sourceOf(verifier)))
}

/** Evidence that every line can have: findings of tools that run no code. */
export function isAtHand({ kind, source }: Evidence): boolean {
  return kind === 'tool' && toolsAtHand([source]).length > 0
}

/** Findings of tools that the line does not bring along; a tool abstains on a step or looks at all of them. */
export async function lookedAt(
  { problem, steps, evidence = [] }: Line,
  verifiers: readonly Verifier[],
): Promise<Extract<Evidence, { kind: 'tool' }>[]> {
  const trace: Trace = { id: '', problem, steps: [...steps], source: { generator: '', dataset: '', licence: '' } }
  const found: Extract<Evidence, { kind: 'tool' }>[] = []
  for (const verifier of verifiers) {
    const source = sourceOf(verifier)
    if (evidence.some((e) => e.source === source) || !verifier.applies(trace)) continue
    const findings = await verifier.verify(trace, { allowCode: false, allowLocalExec: false })
    findings.forEach(({ verdict, reason }, step) => {
      if (verdict !== 'unknown') found.push({ kind: 'tool', source, step, verdict, reason })
    })
  }
  return found
}

/**
 * What tools say by themselves, without any model: 0 for a step that one of them found wrong, 1 for one that one found
 * right and none wrong; a step of which all are silent has no score. What a model that hears the same tools must beat.
 * @param verifiers of `AT_HAND`
 */
export function toolReward(verifiers: readonly Verifier[]): RewardModel {
  const names = verifiers.map(({ name }) => name)
  return {
    name: `verifier:${names.join('+')}`,
    identity: { tools: names },
    meaning: 'correctness',
    aggregate: 'min',
    score: (lines) =>
      Promise.all(
        lines.map(async ({ problem, steps }): Promise<Scored> => {
          const evidence = await lookedAt({ problem, steps }, verifiers)
          return { ok: true, scores: steps.map((_, step) => scoreOf(evidence, step)), usage: NO_USAGE }
        }),
      ),
  }
}

function scoreOf(evidence: readonly Extract<Evidence, { kind: 'tool' }>[], step: number): number | null {
  const own = evidence.filter((e) => e.step === step)
  if (own.length === 0) return null
  return Number(own.every(({ verdict }) => verdict === 'correct'))
}
