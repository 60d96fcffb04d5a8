import type { LabelRule } from './rule.ts'
import { toolReliability } from './tool-reliability.ts'

export const RULES: readonly LabelRule[] = [toolReliability]
