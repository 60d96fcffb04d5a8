/** Large files of traces: list, filter, sort, search and read one without reading all. */
export type { Condition, Field, Sort } from './conditions.ts'
export { FollowedIndex } from './follow.ts'
export type { FacetValues, IndexReader, NumberedRow, Query } from './reader.ts'
