import { CREDITS } from 'gradus/improve'

const tree = CREDITS.find(({ name }) => name === 'tree')
const step = (text: string) => ({ text, tokens: 1, score: null, value: null })
const group = [
  { id: 'a', outcome: 1, startValue: null, steps: [step('x'), step('y')] },
  { id: 'b', outcome: 0, startValue: null, steps: [step('x'), step('z')] },
]
for (const { advantages } of tree?.credit(group) ?? []) console.log(advantages.join(' ')) // 0 0.5, then 0 -0.5
