import type { Evidence } from '../../core/words.ts'
import type { Finding, Verifier } from '../../worlds/verifiers/verifier.ts'
import type { Annotator } from './annotator.ts'

/** Any verifier as an annotator, `verifier:<name>`: one piece of tool evidence for each step that it decides. */
export function annotatorOf(verifier: Verifier): Annotator {
  const source = `verifier:${verifier.name}`
  return {
    name: source,
    summary: verifier.summary,
    ...(verifier.paper !== undefined && { paper: verifier.paper }),
    options: verifier.options,
    needs: [],
    rule: 'tool-reliability',
    runsCode: verifier.runsCode,
    reliability: verifier.reliability,
    applies: (trace) => verifier.applies(trace),
    async annotate(trace, context) {
      const findings = await verifier.verify(trace, context)
      return findings.flatMap((finding, step) => {
        const seen = evidence(source, step, finding)
        if (finding.verdict !== 'unknown') return [seen]
        context.undecided?.(seen)
        return []
      })
    },
  }
}

function evidence(source: string, step: number, finding: Finding): Evidence & { kind: 'tool' } {
  return {
    kind: 'tool',
    source,
    step,
    verdict: finding.verdict,
    reason: finding.reason,
    ...(finding.detail !== undefined && { detail: finding.detail }),
    ...(finding.level !== undefined && { level: finding.level }),
  }
}
