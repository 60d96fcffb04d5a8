import { dawidSkene } from './dawid-skene.ts'
import { flyingSquid } from './flying-squid.ts'
import { goldLogistic } from './gold-logistic.ts'
import type { LabelModel } from './label-model.ts'
import { majority } from './majority.ts'
import { sequenceDawidSkene } from './sequence-dawid-skene.ts'
import { snorkel } from './snorkel.ts'
import { weightedMajority } from './weighted-majority.ts'

/** Every label model, simplest first. */
export const LABEL_MODELS: readonly LabelModel[] = [
  majority,
  weightedMajority,
  dawidSkene,
  snorkel,
  flyingSquid,
  sequenceDawidSkene,
  goldLogistic,
]
