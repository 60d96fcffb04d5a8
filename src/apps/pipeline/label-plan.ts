import { GradusError } from '../../core/errors.ts'
import type { Trace, Usage } from '../../core/words.ts'
import type { Annotator } from '../../label/annotators/annotator.ts'
import { firstErrorLocator } from '../../label/annotators/first-error-locator.ts'
import { ANNOTATORS, OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { mcts } from '../../label/annotators/mcts.ts'
import { type RecoveryRate, recoveryWarning } from '../../label/recovery-rate.ts'
import { consensus } from '../../label/rules/consensus.ts'
import { firstErrorPosterior } from '../../label/rules/first-error-posterior.ts'
import { hard } from '../../label/rules/hard.ts'
import { RULES } from '../../label/rules/index.ts'
import type { LabelRule } from '../../label/rules/rule.ts'
import { toolReliability } from '../../label/rules/tool-reliability.ts'
import { toolVeto } from '../../label/rules/tool-veto.ts'
import { annotatorsNamed, type BoundRule, bind } from './label.ts'
import type { RolloutPolicy } from './rollout-policy.ts'
import { parseSpec, parseSpecs, type Spec, specOptions } from './spec.ts'

/** Names that stand for annotators together with the rule that reads them. */
const ALIASES: Record<string, { annotators: (a: Annotator) => boolean; rule: LabelRule }> = {
  consensus: {
    annotators: (a) => a.name === 'monte-carlo' || a.needs.length === 0,
    rule: consensus,
  },
}

export interface PlanRequest {
  with?: readonly string[] | undefined
  rule?: string | undefined
  policy?: RolloutPolicy | undefined
}

/** What a labelling run does with each trace. */
export interface LabelPlan {
  annotators: Annotator[]
  rule: BoundRule
  /** Measures how often the policy recovers, once, on the first traces; null where no method asks. */
  prepare(traces: readonly Trace[], spend: (usage: Usage) => void): Promise<RecoveryRate | null>
  /** Why a method is not made for this policy. */
  warning(rate: RecoveryRate): string | null
}

/**
 * Annotators and rule from their names on the command line.
 *
 * Without a rule: tools alone are weighed by reliability, rollouts alone make hard labels (the locator's a posterior),
 * both together (also within mcts) a veto.
 * @throws GradusError GRD-LABEL-001 for unknown names, GRD-LABEL-004 where a policy is needed and none given
 */
export function labelPlan(request: PlanRequest): LabelPlan {
  const { policy } = request
  const specs = request.with && parseSpecs(request.with)
  const chosen = specs ? specs.flatMap(annotatorsOf) : [...OFFLINE_ANNOTATORS]
  const rollingOut = chosen.filter((a) => a.needs.includes('policy'))
  if (rollingOut.length > 0 && !policy) {
    throw new GradusError('GRD-LABEL-004', {
      found: `${rollingOut.map((a) => a.name).join(', ')} without a policy`,
      expected: 'a policy that continues the traces',
      try: ['--policy task   (traces of built-in tasks)'],
    })
  }
  const annotators = chosen.map((a) => (policy && a.needs.includes('policy') ? continuedBy(a, policy) : a))
  const aliasSpec = specs?.find((spec) => ALIASES[spec.name] !== undefined)
  // Options of an alias are those of its rule.
  const ruleSpec = request.rule === undefined ? aliasSpec : parseSpec(request.rule)
  const method = ruleSpec ? (ALIASES[ruleSpec.name]?.rule ?? ruleNamed(ruleSpec.name)) : defaultRule(chosen)
  const bound: BoundRule = {
    rule: method,
    options: specOptions(ruleSpec ?? { name: method.name, given: {} }, method.options),
  }
  const locatorSpec = specs?.find((spec) => spec.name === firstErrorLocator.name)
  return {
    annotators,
    rule: bound,
    async prepare(traces, spend) {
      if (rollingOut.length === 0 || !policy) return null
      const rate = await policy.recovery(traces, spend)
      const measured = { recovery: rate.rate.value, trials: Math.max(1, rate.trials) }
      if (rate.trials === 0) return rate
      // A rate that somebody states is not overridden by the one measured.
      if (locatorSpec && locatorSpec.given['recovery'] === undefined) {
        const at = annotators.findIndex((a) => a.name === firstErrorLocator.name)
        const options = specOptions(locatorSpec, firstErrorLocator.options)
        annotators[at] = continuedBy(bind(firstErrorLocator, { ...options, recovery: measured.recovery }), policy)
      }
      if (method === firstErrorPosterior && ruleSpec?.given['recovery'] === undefined) {
        bound.options = method.options.parse(measured)
      }
      return rate
    },
    warning: (rate) => recoveryWarning(rate, [...chosen.map((a) => a.name), method.name]),
  }
}

/**
 * A rule with options, by name.
 * @throws GradusError GRD-LABEL-001, GRD-CLI-002
 */
export function boundRuleNamed(text: string): BoundRule {
  const spec = parseSpec(text)
  const rule = ruleNamed(spec.name)
  return { rule, options: specOptions(spec, rule.options) }
}

function ruleNamed(name: string): LabelRule {
  const rule = RULES.find((one) => one.name === name)
  if (rule) return rule
  throw new GradusError('GRD-LABEL-001', {
    found: name,
    expected: `one of ${RULES.map((one) => one.name).join(', ')}`,
    try: ['gradus methods rules'],
  })
}

function annotatorsOf(spec: Spec): Annotator[] {
  const alias = ALIASES[spec.name]
  if (alias) return ANNOTATORS.filter(alias.annotators)
  return annotatorsNamed([spec.name]).map((a) =>
    Object.keys(spec.given).length === 0 ? a : bind(a, specOptions({ ...spec, name: a.name }, a.options)),
  )
}

function defaultRule(annotators: readonly Annotator[]): LabelRule {
  const rolling = annotators.filter((a) => a.needs.includes('policy'))
  if (rolling.length === 0) return toolReliability
  if (rolling.length < annotators.length || annotators.some((a) => a.name === mcts.name)) return toolVeto
  return rolling.every((a) => a.name === firstErrorLocator.name) ? firstErrorPosterior : hard
}

/** The annotator with the policy of each trace; it does not apply to a trace that nobody can continue. */
function continuedBy(annotator: Annotator, policy: RolloutPolicy): Annotator {
  return {
    ...annotator,
    needs: [],
    applies: (trace) => annotator.applies(trace) && policy.of(trace) !== null,
    annotate: (trace, context, options) => annotator.annotate(trace, { ...context, ...policy.of(trace) }, options),
  }
}
