/** Parameters of a chain of steps; matrices are classes x classes, row = from. */
export interface ChainParameters {
  /** P(class of the first step). */
  initial: Float64Array
  transition: Float64Array
  /** P(class of the outcome | class of the last step). */
  outcome: Float64Array
}

/** Expected counts of one pass, summed over chains. */
export interface ChainCounts {
  initial: Float64Array
  transition: Float64Array
  outcome: Float64Array
}

export interface Chain {
  /** First item and one past the last. */
  from: number
  to: number
}

/**
 * Forward-backward over one chain of steps that ends in an outcome.
 *
 * @param evidence items x classes, P(votes | class) up to a factor a row; rows from `chain.from` to `chain.to` are read
 * @param outcomeEvidence classes, P(outcome votes | class of the outcome) up to a factor; ones where nobody voted
 * @param posterior items x classes, filled for the chain
 * @param counts added to
 * @returns posterior of the outcome, classes
 *
 * @see Rabiner, A tutorial on hidden Markov models and selected applications in speech recognition, 1989
 */
export function forwardBackward(
  chain: Chain,
  evidence: Float64Array,
  outcomeEvidence: Float64Array,
  parameters: ChainParameters,
  posterior: Float64Array,
  counts: ChainCounts,
): Float64Array {
  const classes = parameters.initial.length
  const steps = chain.to - chain.from
  const { initial, transition, outcome } = parameters
  const forward = new Float64Array(steps * classes)
  const backward = new Float64Array(steps * classes)

  for (let t = 0; t < steps; t++) {
    let sum = 0
    for (let k = 0; k < classes; k++) {
      let reach = 0
      if (t === 0) reach = initial[k]!
      else for (let j = 0; j < classes; j++) reach += forward[(t - 1) * classes + j]! * transition[j * classes + k]!
      const value = reach * evidence[(chain.from + t) * classes + k]!
      forward[t * classes + k] = value
      sum += value
    }
    for (let k = 0; k < classes; k++) forward[t * classes + k] = forward[t * classes + k]! / sum
  }

  for (let t = steps - 1; t >= 0; t--) {
    let largest = 0
    for (let k = 0; k < classes; k++) {
      let value = 0
      for (let j = 0; j < classes; j++) {
        value +=
          t === steps - 1
            ? outcome[k * classes + j]! * outcomeEvidence[j]!
            : transition[k * classes + j]! *
              evidence[(chain.from + t + 1) * classes + j]! *
              backward[(t + 1) * classes + j]!
      }
      backward[t * classes + k] = value
      if (value > largest) largest = value
    }
    for (let k = 0; k < classes; k++) backward[t * classes + k] = backward[t * classes + k]! / largest
  }

  for (let t = 0; t < steps; t++) {
    let sum = 0
    for (let k = 0; k < classes; k++) sum += forward[t * classes + k]! * backward[t * classes + k]!
    for (let k = 0; k < classes; k++) {
      posterior[(chain.from + t) * classes + k] = (forward[t * classes + k]! * backward[t * classes + k]!) / sum
    }
  }

  for (let k = 0; k < classes; k++) counts.initial[k] = counts.initial[k]! + posterior[chain.from * classes + k]!
  const pair = new Float64Array(classes * classes)
  for (let t = 1; t < steps; t++) {
    for (let j = 0; j < classes; j++) {
      for (let k = 0; k < classes; k++) {
        pair[j * classes + k] =
          forward[(t - 1) * classes + j]! *
          transition[j * classes + k]! *
          evidence[(chain.from + t) * classes + k]! *
          backward[t * classes + k]!
      }
    }
    addNormalised(pair, counts.transition)
  }
  for (let j = 0; j < classes; j++) {
    for (let k = 0; k < classes; k++) {
      pair[j * classes + k] = forward[(steps - 1) * classes + j]! * outcome[j * classes + k]! * outcomeEvidence[k]!
    }
  }
  addNormalised(pair, counts.outcome)
  const end = new Float64Array(classes)
  const total = pair.reduce((a, b) => a + b, 0)
  pair.forEach((p, cell) => {
    end[cell % classes] = end[cell % classes]! + p / total
  })
  return end
}

function addNormalised(pair: Float64Array, counts: Float64Array): void {
  let sum = 0
  for (const p of pair) sum += p
  for (let c = 0; c < pair.length; c++) counts[c] = counts[c]! + pair[c]! / sum
}
