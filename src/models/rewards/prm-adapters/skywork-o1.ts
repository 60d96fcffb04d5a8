import { z } from 'zod'
import type { PrmAdapter } from './form.ts'

/**
 * Skywork-o1-Open-PRM (1.5B, 7B): a value head, sigmoid of its one logit at the separator, which is a line break.
 *
 * Problem and steps are tokenised each for itself and the line break is appended as a token of its own, since in running
 * text it melts into its neighbours. The published code puts the tokenizer's first token before the problem; Qwen2.5
 * tokenizers have none.
 * @see https://github.com/SkyworkAI/skywork-o1-prm-inference (prepare_input)
 */
export const skyworkO1: PrmAdapter = {
  name: 'skywork-o1-prm',
  summary: 'Skywork-o1-Open-PRM: sigmoid of a value head at line breaks',
  home: 'https://huggingface.co/Skywork/Skywork-o1-Open-PRM-Qwen-2.5-7B',
  options: z.object({}),
  meaning: 'value',
  aggregate: 'last',
  form: { kind: 'pooled-pieces', before: (problem) => `${problem}\n`, separator: { text: '\n' } },
}
