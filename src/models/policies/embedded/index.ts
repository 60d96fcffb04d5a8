export { type EmbeddedBodyOptions, embeddedBody } from '../../rewards/bodies/embedded.ts'
export { likelihoodBody } from '../../rewards/bodies/likelihood.ts'
export {
  type ImplicitOptions,
  implicitReward,
  marginOf,
  marginText,
  type StepRewards,
  stepRewards,
} from '../../rewards/implicit.ts'
export { type PolicyRow, type PolicyTrainer, policyTrainer } from '../../training/transformer/policy-gradient.ts'
export { type PreferencePair, type PreferenceTraining, trainPreference } from '../../training/transformer/preference.ts'
export { embeddedByTask } from './by-task.ts'
export { type Card, shippedCards, taskOfText, USUAL_WEIGHTS, weightsByTask } from './cards.ts'
export { type PassRates, passRates } from './evaluate.ts'
export type { GenerateOptions, Sample } from './generate-options.ts'
export { heldOutProblems, isHeldOut, type Lesson, lessonsOf, type Recipe, renderPrompt, type Stage } from './lessons.ts'
export { type LoadedModel, loadEmbedded } from './load.ts'
export { type EmbeddedModel, embeddedModel, type Hidden, type Hooks, type Scored } from './model.ts'
export { type EmbeddedPolicyOptions, embeddedPolicy, policyOf } from './policy.ts'
export { RECIPES } from './recipes.ts'
export { endThreads } from './thread-pool.ts'
export { type TextModel, threadedModel } from './threaded.ts'
