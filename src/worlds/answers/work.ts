/** Raised when a comparison has used up its steps; only `equal` catches it. */
export class OutOfWork extends Error {}

/** Steps a comparison may take; one is some microseconds; ordinary pairs take some hundred. */
const BUDGET = 40_000

let left = BUDGET

/** Starts the count for one comparison. */
export function startWork(): void {
  left = BUDGET
}

/** @throws OutOfWork when the comparison has taken all its steps */
export function spend(steps: number): void {
  left -= steps
  if (left < 0) throw new OutOfWork('too many steps')
}
