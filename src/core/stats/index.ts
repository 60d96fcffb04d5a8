/** The one statistics module. */
export * from './agreement.ts'
export * from './association.ts'
export * from './calibration.ts'
export * from './classification.ts'
export * from './intervals.ts'
export * from './ranked.ts'
