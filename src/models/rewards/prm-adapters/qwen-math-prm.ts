import { z } from 'zod'
import type { Form, PrmAdapter } from './form.ts'

/** System prompt of Qwen2.5-Math models, as the model card has it. */
const SYSTEM = 'Please reason step by step, and put your final answer within \\boxed{}.'

/** After each step, also the last, stands `<extra_0>`; nothing else is between steps. */
export const EXTRA_0: Form = {
  kind: 'pooled',
  chat: (problem, steps) => [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: problem },
    { role: 'assistant', content: steps.map((step) => `${step}<extra_0>`).join('') },
  ],
  separator: { text: '<extra_0>', id: 151_651 },
}

/**
 * Qwen2.5-Math-PRM (7B, 72B) and Qwen2.5-Math-7B-PRM800K: softmax over two logits at each `<extra_0>`, the second is
 * "right". vLLM serves them with the STEP pooler, which gives rows at the separators only.
 * @see papers/prm-lessons.md; model card Qwen/Qwen2.5-Math-PRM-7B
 */
export const qwenMathPrm: PrmAdapter = {
  name: 'qwen2.5-math-prm',
  summary: 'Qwen2.5-Math-PRM: two classes at <extra_0>',
  paper: 'prm-lessons',
  home: 'https://huggingface.co/Qwen/Qwen2.5-Math-PRM-7B',
  options: z.object({}),
  meaning: 'correctness',
  aggregate: 'product',
  form: EXTRA_0,
}
