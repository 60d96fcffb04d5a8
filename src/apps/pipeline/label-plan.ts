import { GradusError } from '../../core/errors.ts'
import { entryOf } from '../../core/unknown.ts'
import type { Trace, Usage } from '../../core/words.ts'
import type { StepWriter } from '../../engine/rollout.ts'
import type { Annotator } from '../../label/annotators/annotator.ts'
import { firstErrorLocator } from '../../label/annotators/first-error-locator.ts'
import { ANNOTATORS, OFFLINE_ANNOTATORS } from '../../label/annotators/index.ts'
import { monteCarlo } from '../../label/annotators/monte-carlo.ts'
import { rewardAnnotator } from '../../label/annotators/reward.ts'
import { type RecoveryRate, recoveryWarning } from '../../label/recovery-rate.ts'
import { consensus } from '../../label/rules/consensus.ts'
import { firstErrorPosterior } from '../../label/rules/first-error-posterior.ts'
import { hard } from '../../label/rules/hard.ts'
import { RULES } from '../../label/rules/index.ts'
import { relativeProgress } from '../../label/rules/relative-progress.ts'
import type { LabelRule } from '../../label/rules/rule.ts'
import { scores } from '../../label/rules/scores.ts'
import { toolReliability } from '../../label/rules/tool-reliability.ts'
import { toolVeto } from '../../label/rules/tool-veto.ts'
import { annotatorsNamed, type BoundRule, bind } from './label.ts'
import type { RolloutCheck } from './rollout-check.ts'
import { parseSpec, parseSpecs, type Spec, specOptions } from './spec.ts'

/** Names that stand for annotators together with the rule that reads them. */
const ALIASES: Record<string, { annotators: readonly Annotator[]; rule: LabelRule }> = {
  consensus: { annotators: [monteCarlo, ...OFFLINE_ANNOTATORS], rule: consensus },
  // As published: more rollouts where the problem is hard (papers/genprm.md).
  rpe: { annotators: [bind(monteCarlo, { dynamicK: true })], rule: relativeProgress },
}

export interface PlanRequest {
  with?: readonly string[] | undefined
  rule?: string | undefined
  /** Which traces the run's policy can continue; absent where the run has no policy. */
  check?: RolloutCheck | undefined
  /** Names of the reward models of the run. */
  rewards?: readonly string[] | undefined
  /** Does the run begin with problems, that one of its annotators has to explore? */
  problems?: boolean
}

/** An annotator that needs no trace. */
export type Explorer = Annotator & Required<Pick<Annotator, 'explore'>>

/** What a labelling run does with each trace. */
export interface LabelPlan {
  /** Who looks at traces. */
  annotators: Annotator[]
  /** Who writes them, where the run begins with problems. */
  explorer?: Explorer
  rule: BoundRule
  /** Does any annotator ask the policy for rollouts, or for log-probabilities of given texts? */
  needs: { rollouts: boolean; logprobs: boolean }
  /** Measures how often the policy recovers, once, on the first traces; null where no method asks. */
  prepare(traces: readonly Trace[], policy: StepWriter, spend: (usage: Usage) => void): Promise<RecoveryRate | null>
  /** As if `prepare` had measured this. */
  use(rate: RecoveryRate): void
  /** Why a method is not made for this policy. */
  warning(rate: RecoveryRate): string | null
}

/**
 * Annotators and rule from their names on the command line.
 *
 * Without a rule it follows the annotators: tools alone are weighed by reliability, rollouts alone make hard labels (the
 * locator's a posterior), both together a veto, references an alignment, reward models their scores. Where no annotator
 * is named and the run has reward models, these are the annotators.
 * @throws GradusError GRD-LABEL-001 for unknown names, GRD-LABEL-004 where a policy or reward model is needed and none
 * given
 */
export function labelPlan(request: PlanRequest): LabelPlan {
  const { check, rewards = [] } = request
  const named = request.with ?? (rewards.length > 0 ? rewards.map((name) => `reward:${name}`) : undefined)
  const specs = named && parseSpecs(named)
  const chosen = specs ? specs.flatMap((spec) => annotatorsOf(spec, rewards)) : [...OFFLINE_ANNOTATORS]
  const unscored = chosen.find(
    (a) => a.needs.includes('reward') && !rewards.some((name) => a.name === `reward:${name}`),
  )
  if (unscored) {
    const name = unscored.name.replace('reward:', '')
    throw new GradusError('GRD-LABEL-004', {
      found: `${unscored.name} without the model`,
      expected: name === 'judge' ? 'the address of a judge' : 'the address of the reward model',
      try: [
        name === 'judge'
          ? '--judge http://127.0.0.1:8000/v1#NAME   (the model behind a #)'
          : `--reward prm:${name}@http://127.0.0.1:8000/v1#NAME`,
      ],
    })
  }
  const rollingOut = chosen.filter((a) => a.needs.includes('policy'))
  const weighing = chosen.filter((a) => a.needs.includes('logprobs'))
  const asking = [...rollingOut, ...weighing]
  if (asking.length > 0 && !check) {
    throw new GradusError('GRD-LABEL-004', {
      found: `${asking.map((a) => a.name).join(', ')} without a policy`,
      expected: 'a policy that continues the traces',
      try: ['--policy task   (traces of built-in tasks)', '--policy http://127.0.0.1:8000/v1#NAME'],
    })
  }
  const explorer = request.problems ? explorerOf(chosen) : null
  const annotators = chosen.flatMap((a) =>
    a === explorer ? [] : check && a.needs.includes('policy') ? checkedBy(a, check) : a,
  )
  const aliasSpec = specs?.find((spec) => entryOf(ALIASES, spec.name) !== undefined)
  // Options of an alias are those of its rule.
  const ruleSpec = request.rule === undefined ? aliasSpec : parseSpec(request.rule)
  const method = ruleSpec ? (entryOf(ALIASES, ruleSpec.name)?.rule ?? ruleNamed(ruleSpec.name)) : defaultRule(chosen)
  const bound: BoundRule = {
    rule: method,
    options: specOptions(ruleSpec ?? { name: method.name, given: {} }, method.options),
  }
  const locatorSpec = specs?.find((spec) => spec.name === firstErrorLocator.name)
  const use = (rate: RecoveryRate): void => {
    const measured = { recovery: rate.rate.value, trials: Math.max(1, rate.trials) }
    if (rate.trials === 0 || !check) return
    // A rate that somebody states is not overridden by the one measured.
    if (locatorSpec && locatorSpec.given['recovery'] === undefined) {
      const at = annotators.findIndex((a) => a.name === firstErrorLocator.name)
      const options = specOptions(locatorSpec, firstErrorLocator.options)
      annotators[at] = checkedBy(bind(firstErrorLocator, { ...options, recovery: measured.recovery }), check)
    }
    if (method === firstErrorPosterior && ruleSpec?.given['recovery'] === undefined) {
      bound.options = method.options.parse(measured)
    }
  }
  return {
    annotators,
    ...(explorer && check && { explorer: checkedExplorer(explorer, check) }),
    rule: bound,
    needs: { rollouts: rollingOut.length > 0, logprobs: weighing.length > 0 },
    use,
    async prepare(traces, policy, spend) {
      if (rollingOut.length === 0 || !check) return null
      const rate = await check.recovery(traces, policy, spend)
      use(rate)
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

function annotatorsOf(spec: Spec, rewards: readonly string[]): Annotator[] {
  const alias = entryOf(ALIASES, spec.name)
  if (alias) return [...alias.annotators]
  // A model from a file is known to this run only.
  const own = rewards.find((name) => spec.name === `reward:${name}`)
  if (own !== undefined && !ANNOTATORS.some((a) => a.name === spec.name)) return [rewardAnnotator(own)]
  return annotatorsNamed([spec.name]).map((a) =>
    Object.keys(spec.given).length === 0 ? a : bind(a, specOptions({ ...spec, name: a.name }, a.options)),
  )
}

/**
 * The rule of the annotators, where they have the same; a veto where tools stand beside rollouts, hard labels for
 * rollouts of several kinds; scores with the tools' veto where tools stand beside reward models, the consensus where
 * rollouts stand beside a judge; else that of the annotator named first, since no rule reads evidence of every kind.
 */
function defaultRule(annotators: readonly Annotator[]): LabelRule {
  const named = [...new Set(annotators.map((a) => a.rule))]
  const rolled = named.filter((name) => ROLLOUT_RULES.includes(name))
  const byTools = named.filter((name) => TOOL_RULES.includes(name))
  if (named.length > 1 && rolled.length + byTools.length === named.length) {
    return byTools.length > 0 ? toolVeto : hard
  }
  if (named.length > 1 && named.includes(scores.name)) {
    if (byTools.length === named.length - 1) return scores
    if (rolled.length + byTools.length === named.length - 1 && annotators.some((a) => a.name === 'reward:judge')) {
      return consensus
    }
  }
  return ruleNamed(named[0] ?? toolReliability.name)
}

/** Rules that read rollouts, and those that read the verdicts of tools too. */
const ROLLOUT_RULES: readonly string[] = [hard.name, firstErrorPosterior.name]
const TOOL_RULES: readonly string[] = [toolReliability.name, toolVeto.name]

/** The annotator with the check of each trace; it does not apply to a trace that cannot be continued. */
function checkedBy(annotator: Annotator, check: RolloutCheck): Annotator {
  return {
    ...annotator,
    applies: (trace) => annotator.applies(trace) && !(check.of(trace) instanceof GradusError),
    refuses(trace) {
      const own = check.of(trace)
      return own instanceof GradusError ? own : (annotator.refuses?.(trace) ?? null)
    },
    annotate(trace, context, options) {
      const own = check.of(trace)
      if (own instanceof GradusError) throw own
      return annotator.annotate(trace, { ...context, check: own }, options)
    },
  }
}

function checkedExplorer(explorer: Explorer, check: RolloutCheck): Explorer {
  return {
    ...explorer,
    ...checkedBy(explorer, check),
    explore(problem, most, context, options) {
      const own = check.of({ problem })
      if (own instanceof GradusError) throw own
      return explorer.explore(problem, most, { ...context, check: own }, options)
    },
  }
}

/**
 * The one annotator that explores; beside it only those that spend nothing, since what they would cost depends on runs
 * that are not written yet.
 * @throws GradusError GRD-LABEL-004, GRD-CLI-002
 */
function explorerOf(chosen: readonly Annotator[]): Explorer {
  const able = ANNOTATORS.filter((a) => a.explore).map((a) => a.name)
  const [explorer, ...more] = chosen.filter((a): a is Explorer => a.explore !== undefined)
  if (!explorer) {
    throw new GradusError('GRD-LABEL-004', {
      found: `problems without traces, and ${chosen.length > 4 ? 'no method that explores' : chosen.map((a) => a.name).join(', ')}`,
      expected: `traces, or a method that explores: ${able.join(', ')}`,
      try: ['gradus sample PROBLEMS --policy POLICY -o traces.jsonl   (then label these)', `--with ${able[0]}`],
    })
  }
  const asking = chosen.filter((a) => a !== explorer && a.expect !== undefined)
  if (more.length + asking.length === 0) return explorer
  throw new GradusError('GRD-CLI-002', {
    where: { field: '--with' },
    found: chosen.map((a) => a.name).join(', '),
    expected: 'for problems one method that explores, and beside it tools that ask no model',
    try: [`--with ${explorer.name} -o traces.jsonl, then gradus label traces.jsonl with the others`],
  })
}

/** Why annotators of the plan cannot look at a trace, or its explorer at a problem: one error of each code. */
export function refusalsOf({ annotators, explorer }: LabelPlan, trace: Trace): GradusError[] {
  const byCode = new Map<string, GradusError>()
  for (const { refuses } of explorer ? [explorer] : annotators) {
    const refused = refuses?.(trace)
    if (refused && !byCode.has(refused.code)) byCode.set(refused.code, refused)
  }
  return [...byCode.values()]
}
