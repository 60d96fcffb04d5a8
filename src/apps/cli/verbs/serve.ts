import { once } from 'node:events'
import { z } from 'zod'
import { GradusError } from '../../../core/errors.ts'
import { contentHash } from '../../../core/hash.ts'
import { Engine, SERVER_REOPEN_MS } from '../../../engine/engine.ts'
import { splitterNamed } from '../../../io/steps/resplit.ts'
import { shippedCards, USUAL_WEIGHTS, weightsByTask } from '../../../models/policies/embedded/cards.ts'
import { threadedModel } from '../../../models/policies/embedded/threaded.ts'
import type { RewardModel } from '../../../models/rewards/reward.ts'
import { openPolicy, POLICY_FORMS, readPolicySpec } from '../../pipeline/open-policy.ts'
import { openReward, REWARD_FORMS, readRewardSpec, rewardHost } from '../../pipeline/open-reward.ts'
import { taskNamed } from '../../pipeline/rollout-check.ts'
import { type ChatModels, searchModels } from '../../server/chat-models.ts'
import { newToken } from '../../server/guard.ts'
import { listenOn } from '../../server/listen.ts'
import { type ServedModel, servedByTask, servedEmbedded } from '../../server/model.ts'
import { serverApp } from '../../server/root.ts'
import { ScoreService } from '../../server/score-service.ts'
import { verlClient } from '../../server/verl-client.ts'
import { EXIT, type Terminal, verb } from '../verb.ts'

const Options = z.object({
  policy: z
    .array(z.string())
    .optional()
    .describe(
      'weights to serve; `embedded`, where neither they nor a reward model nor a search is named, is all of them and one model that chooses by the prompt',
    ),
  reward: z.string().optional().describe(`reward model whose scores are served: ${REWARD_FORMS}`),
  search: z
    .string()
    .optional()
    .describe(`policy whose chats are answered by search (model gradus/best-of-16): ${POLICY_FORMS}`),
  task: z
    .string()
    .optional()
    .describe('built-in task that chats and scored texts are of, for models that have learnt some tasks only'),
  port: z.number().int().min(0).max(65_535).default(8_321).describe('port on the loopback address; 0 = any free one'),
  token: z
    .string()
    .optional()
    .describe('name of the environment variable with the token; a new token is made where not given'),
  split: z.string().default('paragraph').describe('where a step of a response ends'),
  promptEnd: z
    .string()
    .optional()
    .describe('text behind which a response begins, for clients that do not send prompts apart'),
  abstainAs: z
    .number()
    .optional()
    .describe('what a trainer gets where the model cannot say; such requests are refused where not given'),
  queue: z.number().int().min(1).default(4_096).describe('solutions that may wait; more are refused with 429'),
  searchTokens: z.number().int().min(1).optional().describe('tokens that the answer of one chat may cost'),
  key: z.string().optional().describe('NAME of the environment variable with the key of endpoints'),
  cache: z
    .union([z.string(), z.literal(false)])
    .default(false)
    .describe('file that keeps what endpoints answered'),
  printVerlClient: z.boolean().default(false).describe('print a reward function for verl in Python, and stop'),
})
type Options = z.output<typeof Options>

export const serve = verb({
  name: 'serve',
  summary: 'policies, scores of reward models and answers by search over HTTP, on this machine only',
  arguments: '',
  options: Options,
  examples: [
    'gradus serve --policy embedded',
    'gradus serve --policy chains,game24 --port 0',
    'gradus serve --reward model.json --token GRADUS_TOKEN',
    'gradus serve --reward prm:qwen2.5-math-prm@http://127.0.0.1:8000/v1#Qwen/Qwen2.5-Math-PRM-7B',
    'gradus serve --search http://127.0.0.1:8001/v1#NAME --reward judge:http://127.0.0.1:8001/v1#NAME',
    'gradus serve --print-verl-client > gradus_reward.py',
  ],
  async run(_, options, terminal) {
    if (options.printVerlClient) {
      terminal.out(verlClient(`http://127.0.0.1:${options.port}`))
      return EXIT.done
    }
    const token = options.token === undefined ? newToken() : process.env[options.token]
    if (token === undefined || token === '') {
      throw new GradusError('GRD-CLI-002', {
        where: { field: '--token' },
        found: `no environment variable ${options.token}`,
        expected: 'the NAME of a variable that holds the token',
      })
    }
    const { policy = options.reward === undefined && options.search === undefined ? ['embedded'] : [] } = options
    const models = servedModels(policy)
    const opened = await openScoring(options, terminal)
    const { promptEnd, abstainAs } = options
    const app = serverApp({
      models,
      token,
      reading: {
        splitter: splitterNamed(options.split),
        // A shell gives a line break as two characters.
        ...(options.task !== undefined && { domain: taskNamed(options.task).name }),
        ...(promptEnd !== undefined && { promptEnd: promptEnd.replaceAll('\\n', '\n') }),
      },
      ...(abstainAs !== undefined && { abstainAs }),
      ...(opened.reward && { scores: new ScoreService(opened.reward, { queue: options.queue, batch: opened.local }) }),
      ...(opened.chats && { chats: opened.chats }),
    })
    const { server, port, failed } = await listenOn(app.fetch, options.port)
    const base = `http://127.0.0.1:${port}`
    const names = [...models.map((m) => m.name), ...(opened.chats?.names ?? [])]
    if (names.length > 0) terminal.out(`  models   ${names.join(', ')}\n  address  ${base}/v1\n`)
    if (opened.reward) {
      terminal.out(`  scores   ${opened.reward.name} (${opened.reward.meaning})\n`)
      terminal.out(`  openrlhf ${base}/get_reward?token=TOKEN\n  openapi  ${base}/openapi.json\n`)
    }
    terminal.out(options.token === undefined ? `  token    ${token}\n` : `  token    from ${options.token}\n`)
    terminal.out('  Ctrl-C ends it.\n')
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), failed])
    server.close()
    // The threads of the numerical backend would keep the process alive.
    process.exit(EXIT.done)
  },
})

function servedModels(asked: readonly string[]): ServedModel[] {
  const cards = asked.includes('embedded') ? shippedCards() : []
  const named = asked.filter((name) => name !== 'embedded').map((name) => name.replace(/^embedded:/, ''))
  const models: ServedModel[] = []
  for (const name of new Set([...named, ...cards.map((card) => card.name)])) {
    models.push(servedEmbedded(name, threadedModel(name)))
  }
  const usual = models.find(({ name }) => name === USUAL_WEIGHTS)
  return cards.length > 0 && usual ? [servedByTask(models, weightsByTask(cards), usual), ...models] : models
}

/** Answers of endpoints that are kept in memory: of a training step or two. */
const REMEMBERED = 20_000

/** The reward model, and the chats that a search answers; what leaves this machine is said. */
async function openScoring(
  options: Options,
  terminal: Terminal,
): Promise<{ reward: RewardModel | undefined; local: boolean; chats: ChatModels | undefined }> {
  const { reward: rewardText, search, key, cache, searchTokens } = options
  if (rewardText === undefined && search === undefined) return { reward: undefined, local: true, chats: undefined }
  const engine = new Engine({
    run: `serve ${contentHash([rewardText ?? null, search ?? null]).slice(0, 16)}`,
    ...(cache === false ? { remember: REMEMBERED } : { path: cache }),
    reopenMs: SERVER_REOPEN_MS,
  })
  const { signal } = new AbortController()
  const keyFrom = key === undefined ? {} : { keyFrom: key }
  let reward: RewardModel | undefined
  let local = true
  if (rewardText !== undefined) {
    const spec = readRewardSpec(rewardText)
    const host = rewardHost(spec)
    if (host !== null) terminal.out(`  sends    problems and steps to ${host}\n`)
    local = host === null
    reward = await openReward(spec, engine, { ...keyFrom, by: 'gradus serve' }, signal)
  }
  if (search === undefined) return { reward, local, chats: undefined }
  const spec = readPolicySpec(search)
  const chat = spec.kind === 'http' || spec.kind === 'gguf'
  const settings = {
    prompt: chat ? 'chat' : 'text',
    samples: 16,
    by: 'gradus serve',
    ...keyFrom,
  } as const
  const { policy } = await openPolicy(spec, engine, settings, signal)
  const chats = searchModels({
    policy,
    ...(reward && { reward }),
    ...(!chat && { joiner: '\n' }),
    ...(searchTokens !== undefined && { tokens: searchTokens }),
    ...(options.task !== undefined && { domain: taskNamed(options.task).name }),
  })
  return { reward, local, chats }
}
