import { SEARCHES, solve } from 'gradus/improve'
import { oracleReward, taskPolicy } from 'gradus/models'
import { TASKS } from 'gradus/worlds'

const task = TASKS.find(({ name }) => name === 'arithmetic-chain')!
const stepBeam = SEARCHES.find(({ name }) => name === 'step-beam')!
const policy = taskPolicy({ slip: 0.3 }) // errs in three steps of ten
const reward = oracleReward('value', { slip: 0.3 }) // yours: anything with `score(lines)`

for (const problem of task.generate('example', 3, 3)) {
  for await (const event of solve(stepBeam, { problem, policy, reward }, { k: 16, beam: 4 })) {
    if (event.kind !== 'solution') continue
    const { answer, candidates, usage } = event.solution
    const right = task.check(problem, answer ?? '')
    console.log(problem.id, answer, right ? 'right' : 'wrong', candidates.length, usage.completionTokens)
  }
}
