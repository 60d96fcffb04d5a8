import type { ToolVerdict } from '../core/words.ts'
import {
  agrees,
  canonical,
  type Fact,
  factsOf,
  leavesOf,
  numbersOf,
  numberText,
  sameValue,
  valueOfExpr,
  withLeaves,
} from './facts.ts'

/** What an alignment says of one step. */
export interface Aligned {
  /** Index of the reference step, null = none. */
  reference: number | null
  /** `unknown` = unaligned; never a sign that the step is wrong. */
  verdict: ToolVerdict
  reason: string
}

export interface AlignOptions {
  /**
   * An unaligned step gets the verdict of a calculator: right when each result is right and follows from numbers that are
   * given or computed, wrong when a result is wrong.
   */
  fallback: boolean
}

/** A calculation of the reference, with where its numbers come from. */
interface ReferenceFact extends Fact {
  step: number
  /** For each number from the left: the latest earlier calculation that gives it, null = given. */
  sources: (number | null)[]
}

type Status =
  /** Agrees with the reference, or leads to a value of it. */
  | 'right'
  | 'wrong'
  /** Follows from what is known, but no value of the reference has been reached with it so far. */
  | 'detour'
  /** A wrong result, or numbers that stand nowhere. */
  | 'loose'

interface StudentFact extends Fact {
  step: number
  status: Status
  reference: number | null
  reason: string
  /** Earlier calculations whose values it takes. */
  uses: number[]
  /** Numbers that are neither given nor computed before. */
  strange: number[]
  holds: boolean
  /** Wrong only by the place in which a later step puts its value. */
  blamed: boolean
}

/**
 * Aligns the steps of a solution with those of a reference solution by what they compute, without a model.
 *
 * The reference is a graph: a calculation depends on those whose results it takes, so steps may come in any order that
 * the graph allows. A step is right when it makes a calculation of the reference (order of terms and factors does not
 * count) or reaches a value of it from known numbers; a step of another route is right once a later step reaches a value
 * of the reference with it. It is wrong when it makes a calculation of the reference with another result, or when a later
 * step puts its value where the reference has another one and either its own numbers are sound or it alone, of the steps
 * that led there, does not hold or has a number from nowhere. What goes on from a wrong
 * value just as the reference would is right in itself. All else is unaligned.
 *
 * With several references the one is taken that decides most steps, the first of equals.
 * @param prompt its numbers count as given
 * @returns one entry a step
 * @see papers/spare.md
 */
export function align(
  prompt: string,
  references: readonly (readonly string[])[],
  steps: readonly string[],
  options: AlignOptions = { fallback: false },
): Aligned[] {
  let best: Aligned[] = steps.map(() => unaligned('no reference'))
  let decided = -1
  for (const reference of references) {
    const one = alignOne(prompt, reference, steps, options)
    const count = one.filter((a) => a.verdict !== 'unknown').length
    if (count > decided) [best, decided] = [one, count]
  }
  return best
}

const unaligned = (reason: string): Aligned => ({ reference: null, verdict: 'unknown', reason })

function alignOne(prompt: string, reference: readonly string[], steps: readonly string[], options: AlignOptions) {
  const alignment = new Alignment(prompt, reference)
  steps.forEach((text, step) => {
    for (const fact of factsOf(text)) alignment.add(fact, step)
  })
  return steps.map((_, step) => alignment.verdict(step, options))
}

function referenceFacts(reference: readonly string[]): ReferenceFact[] {
  const facts: ReferenceFact[] = []
  reference.forEach((text, step) => {
    for (const fact of factsOf(text)) {
      const sources = (fact.expr ? leavesOf(fact.expr) : []).map((leaf) => {
        const at = facts.findLastIndex((f) => !f.answer && sameValue(f.value, leaf))
        return at < 0 ? null : at
      })
      facts.push({ ...fact, step, sources })
    }
  })
  return facts
}

class Alignment {
  readonly #reference: ReferenceFact[]
  readonly #given: Set<string>
  readonly #facts: StudentFact[] = []
  /** Values that the solution has for calculations of the reference: matched ones only. */
  readonly #values = new Map<number, number>()

  constructor(prompt: string, reference: readonly string[]) {
    this.#reference = referenceFacts(reference)
    const constants = this.#reference.flatMap((r) =>
      r.expr ? leavesOf(r.expr).filter((_, i) => r.sources[i] === null) : [],
    )
    this.#given = new Set([...numbersOf(prompt), ...constants].map(numberText))
  }

  /** Takes in the next calculation of the solution. */
  add(fact: Fact, step: number): void {
    const leaves = fact.expr ? leavesOf(fact.expr) : []
    const uses: number[] = []
    const strange: number[] = []
    for (const leaf of leaves) {
      const at = this.#facts.findLastIndex((f) => !f.answer && sameValue(f.value, leaf))
      const givenToo = this.#given.has(numberText(leaf))
      if (at >= 0 && (!givenToo || this.#facts[at]?.status === 'right')) uses.push(at)
      else if (!givenToo) strange.push(leaf)
    }
    const holds = fact.expr === null || agrees(fact.value, valueOfExpr(fact.expr))
    const made: StudentFact = {
      ...fact,
      step,
      status: 'loose',
      reference: null,
      reason: '',
      uses,
      strange,
      holds,
      blamed: false,
    }
    this.#facts.push(made)
    if (fact.answer) this.#answer(made)
    else if (!this.#same(made) && !this.#reaches(made) && !this.#inPlaceOf(made)) this.#noMatch(made)
  }

  #set(fact: StudentFact, status: Status, at: number | null, reason: string): void {
    fact.status = status
    fact.reference = at === null ? null : (this.#reference[at]?.step ?? null)
    fact.reason = reason
    if (at !== null && (status === 'right' || status === 'wrong')) this.#values.set(at, fact.value)
  }

  /** The calculation of the reference as it reads with the solution's own values. */
  #asHere(r: ReferenceFact, put?: { source: number; value: number }): string {
    if (r.expr === null) return ''
    const leaves = leavesOf(r.expr).map((leaf, i) => {
      const source = r.sources[i] ?? null
      if (source === null) return leaf
      return put?.source === source ? put.value : (this.#values.get(source) ?? leaf)
    })
    return canonical(withLeaves(r.expr, leaves))
  }

  /** Free calculations of the reference first; one that was made already may be repeated. */
  #candidates(): number[] {
    const all = this.#reference.map((_, at) => at).filter((at) => !this.#reference[at]?.answer)
    return [...all.filter((at) => !this.#values.has(at)), ...all.filter((at) => this.#values.has(at))]
  }

  /** A value may be overwritten only after the ones that stood there before. */
  #inTurn(at: number): boolean {
    const target = this.#reference[at]?.target ?? null
    if (target === null) return true
    return this.#reference.every((r, before) => before >= at || r.target !== target || this.#values.has(before))
  }

  /** Makes a calculation of the reference. */
  #same(fact: StudentFact): boolean {
    if (fact.expr === null) return false
    const text = canonical(fact.expr)
    const equal = this.#candidates().filter((at) => {
      const r = this.#reference[at]
      return r?.expr && this.#inTurn(at) && (this.#asHere(r) === text || canonical(r.expr) === text)
    })
    const at = equal.find((i) => this.#reference[i]?.target === fact.target) ?? equal[0]
    const r = at === undefined ? undefined : this.#reference[at]
    if (at === undefined || r === undefined) return false
    if (r.target !== fact.target && r.target !== null && fact.target !== null) {
      // a plain value may stand in many places
      if (fact.expr.kind === 'number') return false
      this.#set(fact, 'wrong', null, `${fact.text}, but the reference has ${r.text}`)
      fact.reference = r.step
      return true
    }
    if (fact.holds) this.#set(fact, 'right', at, `as reference step ${r.step}: ${r.text}`)
    else {
      const right = numberText(valueOfExpr(fact.expr))
      this.#set(fact, 'wrong', at, `${fact.text}, but the calculation of reference step ${r.step} gives ${right}`)
    }
    return true
  }

  /** Reaches a value of the reference by known numbers, in another way. */
  #reaches(fact: StudentFact): boolean {
    if (fact.expr?.kind !== 'operation' || !fact.holds || fact.strange.length > 0) return false
    if (fact.uses.some((u) => !this.#sound(u))) return false
    const at = this.#candidates().find((i) => {
      const r = this.#reference[i]
      const free = !this.#values.has(i) && this.#inTurn(i)
      return r !== undefined && free && r.target === fact.target && sameValue(r.value, fact.value)
    })
    const r = at === undefined ? undefined : this.#reference[at]
    if (at === undefined || r === undefined) return false
    this.#set(fact, 'right', at, `reaches ${numberText(r.value)} of reference step ${r.step} in another way`)
    this.#confirm(fact, r.step)
    return true
  }

  #sound(at: number): boolean {
    const { status } = this.#facts[at] ?? { status: 'loose' }
    return status === 'right' || status === 'detour'
  }

  /** Steps of the other route that led to a value of the reference. */
  #confirm(fact: StudentFact, step: number): void {
    for (const at of fact.uses) {
      const used = this.#facts[at]
      if (used?.status !== 'detour') continue
      this.#set(used, 'right', null, `another route, which reaches reference step ${step}`)
      used.reference = step
      this.#confirm(used, step)
    }
  }

  /** Is a calculation of the reference but for one value, which an unaligned step has put in place of another one. */
  #inPlaceOf(fact: StudentFact): boolean {
    if (fact.expr === null) return false
    const text = canonical(fact.expr)
    for (const u of fact.uses) {
      const used = this.#facts[u]
      if (used === undefined || (used.status !== 'detour' && used.status !== 'loose')) continue
      for (const at of this.#candidates()) {
        const r = this.#reference[at]
        if (r === undefined || r.target !== fact.target || !this.#inTurn(at)) continue
        const source = r.sources.find(
          (s) => s !== null && !this.#values.has(s) && this.#asHere(r, { source: s, value: used.value }) === text,
        )
        if (source === undefined || source === null) continue
        this.#blame(used, source, fact.step)
        const word = fact.holds ? 'right' : 'wrong'
        this.#set(fact, word, at, `goes on as reference step ${r.step}${fact.holds ? '' : ', with a wrong result'}`)
        return true
      }
    }
    return false
  }

  /** The value of a step stands where the reference has another one. */
  #blame(used: StudentFact, source: number, by: number): void {
    const r = this.#reference[source]
    if (r === undefined) return
    const own = used.uses.every((at) => this.#facts[at]?.status === 'right')
    const where = `step ${by} puts it where the reference has ${numberText(r.value)} (reference step ${r.step})`
    if (own) {
      used.blamed = true
      this.#set(used, 'wrong', source, `${used.text}, and ${where}`)
      return
    }
    this.#values.set(source, used.value)
    // with numbers of unaligned steps the fault may lie there: it is told only by one line that is visibly at fault
    const faulty = this.#openBefore(used).filter((fact) => !fact.holds || fact.strange.length > 0)
    const [culprit] = faulty
    if (culprit === undefined || faulty.length > 1) return
    const why = culprit.holds
      ? `${culprit.strange.map(numberText).join(', ')} stands nowhere before`
      : 'it does not hold'
    this.#set(
      culprit,
      'wrong',
      null,
      `${culprit.text}: ${why}, and with its value ${where.replace('it', numberText(used.value))}`,
    )
    culprit.reference = r.step
  }

  /** A calculation and those that it rests on, without the ones that are right. */
  #openBefore(fact: StudentFact): StudentFact[] {
    const open = new Set<StudentFact>()
    const walk = (one: StudentFact): void => {
      if (one.status === 'right' || open.has(one)) return
      open.add(one)
      for (const at of one.uses) {
        const used = this.#facts[at]
        if (used) walk(used)
      }
    }
    walk(fact)
    return [...open]
  }

  #noMatch(fact: StudentFact): void {
    if (!fact.holds) this.#set(fact, 'loose', null, `unaligned, and ${fact.text} does not hold`)
    else if (fact.strange.length > 0) {
      this.#set(fact, 'loose', null, `unaligned, and ${fact.strange.map(numberText).join(', ')} stands nowhere before`)
    } else this.#set(fact, 'detour', null, `unaligned; ${fact.text} holds`)
  }

  #answer(fact: StudentFact): void {
    const said = this.#reference.findLast((r) => r.answer) ?? this.#reference.at(-1)
    if (said === undefined) return
    const last = this.#reference.findLastIndex((r) => !r.answer && sameValue(r.value, said.value))
    const [status, reason] = this.#answerVerdict(fact, said, last)
    this.#set(fact, status, null, reason)
    fact.reference = said.step
    if (status === 'right' && sameValue(fact.value, said.value)) this.#acquit()
  }

  #answerVerdict(fact: StudentFact, said: ReferenceFact, last: number): [Status, string] {
    const own = this.#values.get(last)
    if (own !== undefined && sameValue(own, fact.value)) return ['right', 'states the value computed for it']
    if (sameValue(fact.value, said.value)) return ['right', `the answer of reference step ${said.step}`]
    if (own !== undefined) return ['wrong', `answers ${fact.text}, but ${numberText(own)} was computed`]
    const computed = this.#facts.slice(0, -1).findLast((f) => !f.answer && sameValue(f.value, fact.value))
    if (computed === undefined) return ['wrong', `answers ${fact.text}, which stands nowhere before`]
    if (last >= 0 && (computed.status === 'detour' || computed.status === 'loose')) {
      this.#blame(computed, last, fact.step)
    }
    if (computed.status === 'right' && this.#facts.every((f) => f === fact || f.status === 'right')) {
      return ['wrong', `answers ${fact.text}, which is a value on the way to ${numberText(said.value)}`]
    }
    return ['right', 'states a value computed before']
  }

  /** A route that comes to the reference's answer is not wrong for putting a value in an unusual place. */
  #acquit(): void {
    for (const fact of this.#facts) {
      if (!fact.blamed || !fact.holds || fact.strange.length > 0) continue
      fact.status = 'detour'
      fact.reference = null
      fact.reason = `unaligned; ${fact.text} holds, and the answer is the reference's`
    }
  }

  verdict(step: number, { fallback }: AlignOptions): Aligned {
    const facts = this.#facts.filter((f) => f.step === step)
    const first = facts[0]
    if (first === undefined) return unaligned('unaligned: no calculation that can be compared')
    const reference = facts.find((f) => f.reference !== null)?.reference ?? null
    const wrong = facts.find((f) => f.status === 'wrong')
    if (wrong) return { reference: wrong.reference, verdict: 'incorrect', reason: wrong.reason }
    const open = facts.find((f) => f.status !== 'right')
    if (!open) return { reference, verdict: 'correct', reason: first.reason }
    if (!fallback) return { reference: null, verdict: 'unknown', reason: open.reason }
    const failed = facts.find((f) => !f.holds)
    if (failed) return { reference: null, verdict: 'incorrect', reason: `${failed.reason} (calculator)` }
    if (open.status === 'loose') return { reference: null, verdict: 'unknown', reason: open.reason }
    return { reference: null, verdict: 'correct', reason: `${open.reason}, from numbers that are known (calculator)` }
  }
}
