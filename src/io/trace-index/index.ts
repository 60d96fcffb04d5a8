/** Large files of traces: list, filter, sort, search and read one without reading all. */
export type { Condition } from './conditions.ts'
export { FollowedIndex } from './follow.ts'
export { type FacetValues, IndexReader, type NumberedRow, type Query } from './reader.ts'
