import { random } from '../../../core/seeds.ts'
import { type ServerScript, startTestServer, type TestServer } from '../../../engine/testing/openai-server.ts'
import { arithmeticChain } from '../../../worlds/tasks/arithmetic-chain.ts'

/** How often a step is wrong: often enough that few traces hold both kinds of steps. */
const CHANCES = { slip: 0.2, recovery: 0 }

/**
 * A server whose model goes on with chains of arithmetic from any prefix, a step a line, and errs as told; the same text
 * for the same prompt and seed. Other prompts are answered by counting.
 */
export function startChainServer(script: ServerScript = {}): Promise<TestServer> {
  return startTestServer({ lacks: ['logprobs', 'promptLogprobs'], ...script, text: (body, n) => written(body, n) })
}

function written(body: Record<string, unknown>, choice: number): string {
  const prompt = String(body['prompt'] ?? '')
  const [question = '', ...steps] = prompt.split('\n').filter((line) => line !== '')
  if (!/^\d+([+*-]\d+)+$/.test(question)) return '1 2 3 4 5 6 7 8 9'
  const draws = random(`${prompt}/${String(body['seed'])}/${choice}`)
  return arithmeticChain.complete({ id: question, prompt: question }, steps, draws, CHANCES).join('\n')
}
