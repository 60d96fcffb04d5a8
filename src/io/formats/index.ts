import { agentprocessbench } from './agentprocessbench.ts'
import { anthropicManagedAgents } from './anthropic-managed-agents.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { bigBenchMistake } from './big-bench-mistake.ts'
import type { Format } from './format.ts'
import { native } from './native.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { processbench } from './processbench.ts'

/** Every trace format, in the order in which ties of detection are settled. */
export const FORMATS: readonly Format[] = [
  native,
  processbench,
  bigBenchMistake,
  agentprocessbench,
  openaiChat,
  openaiResponses,
  anthropicMessages,
  anthropicManagedAgents,
]
