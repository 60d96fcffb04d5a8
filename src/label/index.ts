/** Evidence, label rules, label models and verdicts. */
export { type Aligned, type AlignOptions, align } from './alignment.ts'
export {
  type AlphaContext,
  type AlphaOptions,
  type AlphaTree,
  alphaSearch,
  bestLine,
} from './annotators/alphamath-search.ts'
export type { Annotator, Explored, ExploredRun, GrownTree } from './annotators/annotator.ts'
export { ANNOTATORS, OFFLINE_ANNOTATORS } from './annotators/index.ts'
export { type MctsContext, type MctsOptions, type MctsTree, mctsSearch } from './annotators/mcts-search.ts'
export { lineSamples } from './annotators/mutation.ts'
export { type OmegaTree, omegaExamples, omegaScore, omegaSearch } from './annotators/omegaprm.ts'
export { rewardAnnotator } from './annotators/reward.ts'
export { spare, spareWith } from './annotators/spare.ts'
export { type Subtask, subtask, subtasksOf } from './annotators/subtask.ts'
export {
  type Locator,
  type LocatorOptions,
  locator,
  plainBisection,
  type Recovery,
  type Search,
} from './first-error-locator.ts'
export { LABEL_MODELS } from './label-models/index.ts'
export { type Dependence, decide, type Fitted, type LabelModel, type SourceReport } from './label-models/label-model.ts'
export {
  ABSTAIN,
  filterItems,
  type SourceLabels,
  type VoteMatrix,
  votesOfRows,
  votesOfTraces,
} from './label-models/votes.ts'
export { injectedPrefixes, type RecoveryRate, recoveryRate, type WrongPrefix } from './recovery-rate.ts'
export { RULES } from './rules/index.ts'
export type { LabelRule } from './rules/rule.ts'
export { type LabellerAccuracy, type StepErrorRate, stepErrorRate } from './step-error-rate.ts'
export { firstErrorOf, risksOf, verdictFromRisks } from './verdict.ts'
