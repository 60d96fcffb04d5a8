/** Traces and labels in and out of files. */
export type { At, Container, Format, Sample } from './formats/format.ts'
export { FORMATS } from './formats/index.ts'
export { type JsonLine, readJsonLines } from './jsonl.ts'
export { openTraces, type ReadOptions, type ReadReport, readTraces, type TraceFile } from './read.ts'
export { SPLITTERS } from './steps/index.ts'
export { resplit, splitterNamed } from './steps/resplit.ts'
export type { Splitter } from './steps/splitter.ts'
export { type TraceWriter, traceWriter } from './write.ts'
