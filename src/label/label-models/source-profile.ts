/**
 * A source as competence and habit: with probability `competence` it votes the class, else by `guess` whatever the
 * class is. Fewer numbers than a confusion matrix, and a class can never be taken over by items on which other classes
 * are confused, because a vote for a class always speaks for that class.
 *
 * @see Hovy and others, Learning whom to trust with MACE, NAACL 2013
 */
export interface SourceProfile {
  /** In [0, 1]. */
  competence: number
  /** Classes; sums to 1. */
  guess: Float64Array
}

/** Pseudo-votes, known and guessed, that keep a competence off 0 and 1. */
const COMPETENCE_PRIOR = 1

/** Pseudo-guesses for each class. */
const GUESS_PRIOR = 0.01

/** Short inner runs suffice: the outer expectation-maximisation goes on from here. */
const INNER_ROUNDS = 3

/** Before any posterior: half known, guesses like all votes of the source. */
export function firstProfile(counts: Float64Array, classes: number): SourceProfile {
  const guess = new Float64Array(classes).fill(1)
  counts.forEach((n, cell) => {
    guess[cell % classes] = guess[cell % classes]! + n
  })
  const total = guess.reduce((a, b) => a + b, 0)
  return { competence: 0.5, guess: guess.map((g) => g / total) }
}

/** Maximisation of a profile. @param counts expected votes, class x vote */
export function fitProfile(counts: Float64Array, classes: number, from: SourceProfile): SourceProfile {
  let { competence, guess } = from
  for (let round = 0; round < INNER_ROUNDS; round++) {
    const guesses = new Float64Array(classes).fill(GUESS_PRIOR)
    let known = 0
    let total = 0
    for (let k = 0; k < classes; k++) {
      for (let l = 0; l < classes; l++) {
        const n = counts[k * classes + l]!
        const byCompetence = k === l ? (n * competence) / (competence + (1 - competence) * guess[l]! + 1e-12) : 0
        known += byCompetence
        total += n
        guesses[l] = guesses[l]! + n - byCompetence
      }
    }
    competence = (known + COMPETENCE_PRIOR) / (total + 2 * COMPETENCE_PRIOR)
    const guessed = guesses.reduce((a, b) => a + b, 0)
    guess = guesses.map((g) => g / guessed)
  }
  return { competence, guess }
}

/** P(vote l | class k) of a profile. */
export function profileCell(profile: SourceProfile, k: number, l: number): number {
  return (k === l ? profile.competence : 0) + (1 - profile.competence) * profile.guess[l]!
}
