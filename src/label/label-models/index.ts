import { dawidSkene } from './dawid-skene.ts'
import type { LabelModel } from './label-model.ts'
import { majority } from './majority.ts'
import { weightedMajority } from './weighted-majority.ts'

/** Every label model, simplest first. */
export const LABEL_MODELS: readonly LabelModel[] = [majority, weightedMajority, dawidSkene]
