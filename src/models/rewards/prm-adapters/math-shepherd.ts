import { z } from 'zod'
import { numbered, type PrmAdapter } from './form.ts'

/**
 * math-shepherd-mistral-7b-prm: after ` ки` (with its blank: token 12902) the model writes `+` (648) or `-` (387); the
 * score is the softmax over these two. Labels are Monte Carlo estimates, so a score is the chance to end right.
 *
 * Read from prompt log-probabilities of a generating server: vLLM's STEP pooler with returned token ids was seen to
 * index hidden states instead of logits (vllm issue 16545), which gives numbers of the right shape.
 * @see model card peiyi9979/math-shepherd-mistral-7b-prm
 */
export const mathShepherd: PrmAdapter = {
  name: 'math-shepherd',
  summary: 'Math-Shepherd: + or - after the token ки',
  home: 'https://huggingface.co/peiyi9979/math-shepherd-mistral-7b-prm',
  options: z.object({}),
  meaning: 'value',
  aggregate: 'min',
  form: {
    kind: 'next-token',
    text: (problem, steps) =>
      `${problem} ${numbered(steps)
        .map((step) => `${step} ки\n`)
        .join('')}`,
    separator: { text: ' ки', id: 12_902 },
    good: { text: '+', id: 648 },
    bad: { text: '-', id: 387 },
  },
}
