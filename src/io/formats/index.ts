import { agentprocessbench } from './agentprocessbench.ts'
import { aiSdkMessages, aiSdkStream } from './ai-sdk.ts'
import { anthropicManagedAgents } from './anthropic-managed-agents.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { atif } from './atif.ts'
import { bedrock } from './bedrock.ts'
import { bigBenchMistake } from './big-bench-mistake.ts'
import { claudeCode } from './claude-code.ts'
import { codexCli } from './codex-cli.ts'
import { cohere } from './cohere.ts'
import type { Format } from './format.ts'
import { gemini } from './gemini.ts'
import { geminiCli } from './gemini-cli.ts'
import { inspect } from './inspect.ts'
import { intercode } from './intercode.ts'
import { jaeger } from './jaeger.ts'
import { langfuse } from './langfuse.ts'
import { langsmith } from './langsmith.ts'
import { mastra } from './mastra.ts'
import { mathShepherd } from './math-shepherd.ts'
import { mrBen } from './mr-ben.ts'
import { mrGsm8k } from './mr-gsm8k.ts'
import { native } from './native.ts'
import { omegaprm } from './omegaprm.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { openhands } from './openhands.ts'
import { openrlhf } from './openrlhf.ts'
import { otlp } from './otlp.ts'
import { parc } from './parc.ts'
import { plainText } from './plain-text.ts'
import { prm800k } from './prm800k.ts'
import { prmbench } from './prmbench.ts'
import { processbench } from './processbench.ts'
import { roscoe } from './roscoe.ts'
import { aiSdkSpans, openinference, otelGenai } from './span-formats.ts'
import { sweAgent } from './swe-agent.ts'
import { tauBench } from './tau-bench.ts'
import { trl } from './trl.ts'
import { verl } from './verl.ts'
import { whoAndWhen } from './who-and-when.ts'

/** Every trace format, in the order in which ties of detection are settled. */
export const FORMATS: readonly Format[] = [
  native,
  processbench,
  bigBenchMistake,
  agentprocessbench,
  mrGsm8k,
  mrBen,
  prmbench,
  parc,
  roscoe,
  whoAndWhen,
  prm800k,
  mathShepherd,
  omegaprm,
  trl,
  openrlhf,
  verl,
  tauBench,
  intercode,
  openaiChat,
  openaiResponses,
  anthropicMessages,
  anthropicManagedAgents,
  claudeCode,
  codexCli,
  geminiCli,
  gemini,
  bedrock,
  cohere,
  otlp,
  jaeger,
  otelGenai,
  openinference,
  aiSdkSpans,
  langfuse,
  langsmith,
  mastra,
  inspect,
  openhands,
  sweAgent,
  atif,
  aiSdkMessages,
  aiSdkStream,
  plainText,
]
