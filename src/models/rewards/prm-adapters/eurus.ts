import { z } from 'zod'
import { numbered, type PrmAdapter } from './form.ts'

/**
 * EurusPRM (Stage 1, 2): an implicit process reward model. q_t = beta * log (pi(y_1..t) / pi_ref(y_1..t)) over the tokens
 * of the answer up to the end of step t, beta = .001, the reference is Qwen2.5-Math-7B-Instruct. q_t is the expected
 * outcome reward in log space; the score is its sigmoid, so .5 = as probable as under the reference.
 * @see https://arxiv.org/abs/2412.01981; model card PRIME-RL/EurusPRM-Stage2
 */
export const eurus: PrmAdapter = {
  name: 'eurus-prm',
  summary: 'EurusPRM: log-ratio of the model and its reference, up to each step',
  home: 'https://huggingface.co/PRIME-RL/EurusPRM-Stage2',
  options: z.object({}),
  meaning: 'value',
  aggregate: 'min',
  form: {
    kind: 'log-ratio',
    beta: 0.001,
    chat: (problem, answer) => [
      { role: 'user', content: problem },
      { role: 'assistant', content: answer },
    ],
    steps: numbered,
    joiner: '\n\n',
  },
}
