import { z } from 'zod'
import type { PrmAdapter } from './form.ts'
import { EXTRA_0 } from './qwen-math-prm.ts'

/**
 * ReasonFlux-PRM (1.5B, 7B): made from Qwen2.5-Math models and served with the same head and separator, two classes at
 * each `<extra_0>`. Its training labels join alignment, quality and coherence of a step, so they are nearer to
 * correctness than to the chance of success.
 * @see https://arxiv.org/abs/2506.18896
 */
export const reasonFlux: PrmAdapter = {
  name: 'reasonflux-prm',
  summary: 'ReasonFlux-PRM: two classes at <extra_0>',
  home: 'https://huggingface.co/Gen-Verse/ReasonFlux-PRM-7B',
  options: z.object({}),
  meaning: 'correctness',
  aggregate: 'mean',
  form: EXTRA_0,
}
