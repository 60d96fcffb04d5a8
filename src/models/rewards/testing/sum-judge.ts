import { type ServerScript, startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'

/**
 * A server whose language model judges steps by their sums, in the form that `judge.ts` asks for: a step is wrong when one
 * of its `a + b = c` does not hold. Other requests are answered as by any model.
 */
export function startSumJudge(script: ServerScript = {}): Promise<TestServer> {
  // Its log-probabilities would say how long a word is, not how sure it is.
  return startTestServer({ lacks: ['logprobs'], ...script, text: (body) => judged(body) ?? '1 2 3 4 5 6 7 8 9' })
}

const STEP = /<<([0-9a-f]{16}) step (\d+)>>\n([\s\S]*?)\n<<\1 end of step \2>>/g

function judged(body: Record<string, unknown>): string | null {
  const messages = body['messages'] as { content: string }[] | undefined
  const found = [...(messages?.[1]?.content ?? '').matchAll(STEP)]
  if (found.length === 0) return null
  const steps = found.map(([, , step, text = '']) => {
    const wrong = [...text.matchAll(/(-?\d+) ?([+-]) ?(\d+) ?= ?(-?\d+)/g)].find(
      ([, a, sign, b, c]) => Number(a) + (sign === '+' ? 1 : -1) * Number(b) !== Number(c),
    )
    const reason = wrong ? `${wrong[0]} does not hold` : 'holds'
    return { step: Number(step), reason, verdict: wrong ? 'incorrect' : 'correct' }
  })
  return `I look at each step.\n${JSON.stringify({ key: found[0]?.[1], steps })}`
}
