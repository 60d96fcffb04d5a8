import { z } from 'zod'
import type { PrmAdapter } from './form.ts'

/**
 * RLHFlow Llama3.1-8B-PRM (Mistral and Deepseek data): each step is a turn of the user, the first with the problem before
 * it, and the assistant answers `+` or `-`; softmax over these two at the place of the answer. All turns hold `+`, so
 * that one pass reads all of them.
 * @see https://github.com/RLHFlow/RLHF-Reward-Modeling (math-rm)
 */
export const rlhflow: PrmAdapter = {
  name: 'rlhflow-prm',
  summary: 'RLHFlow: each step a turn, answered by + or -',
  home: 'https://huggingface.co/RLHFlow/Llama3.1-8B-PRM-Deepseek-Data',
  options: z.object({}),
  meaning: 'value',
  aggregate: 'product',
  form: { kind: 'turns', good: '+', bad: '-' },
}
