/** The stages of the command line as functions. */
export { annotatorsNamed, type BoundRule, labelTrace, labelTraces, relabelTrace } from './label.ts'
