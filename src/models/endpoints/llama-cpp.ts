import { randomInt } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { GradusError } from '../../core/errors.ts'
import { Fault } from '../../engine/fault.ts'
import type { ChatRequest, Completion, Endpoint, Generation, Message, Sampling } from './endpoint.ts'
import { probe } from './probe.ts'

/**
 * The part of `node-llama-cpp` 3 that is used here, as a structure, so that the library is needed by those only who run
 * GGUF files (https://node-llama-cpp.withcat.ai/api/).
 */
export interface LlamaLibrary {
  getLlama(): Promise<Llama>
  LlamaChat: new (options: {
    contextSequence: Sequence
  }) => {
    generateResponse(history: ChatItem[], options: Settings): Promise<Response>
    dispose(): void
  }
  LlamaCompletion: new (options: {
    contextSequence: Sequence
  }) => {
    generateCompletionWithMeta(prompt: string, options: Settings): Promise<Response>
    dispose(): void
  }
}

interface Llama {
  loadModel(options: { modelPath: string }): Promise<Model>
  createGrammarForJsonSchema(schema: unknown): Promise<unknown>
}

interface Model {
  tokenize(text: string): readonly unknown[]
  createContext(): Promise<{ contextSize: number; getSequence(): Sequence }>
}

interface Sequence {
  tokenMeter: { usedInputTokens: number; usedOutputTokens: number }
  dispose(): void
}

type ChatItem =
  | { type: 'system'; text: string }
  | { type: 'user'; text: string }
  | { type: 'model'; response: string[] }

interface Settings {
  signal: AbortSignal
  temperature: number
  seed: number
  /** The library punishes repetition unless told not to, which no other endpoint does by itself. */
  repeatPenalty: false
  maxTokens?: number
  topP?: number
  customStopTriggers?: string[]
  grammar?: unknown
}

interface Response {
  response: string
  metadata: { stopReason: string }
}

/** The library's default is greedy, which would make all samples of a problem the same. */
const TEMPERATURE = 1
const SEEDS = 2 ** 31

/**
 * A GGUF file in this process, by `node-llama-cpp`: chat and completions, one at a time, with `seed`, `stop` and JSON
 * Schema; no log-probabilities, tools, embeddings or streaming. Loaded at the first call.
 *
 * @param load gives the library; replaced in tests
 * @throws GradusError GRD-IO-001 where there is no such file
 */
export function llamaCpp(file: string, { load = loadLlamaCpp }: { load?: () => Promise<LlamaLibrary> } = {}): Endpoint {
  if (!existsSync(file)) throw new GradusError('GRD-IO-001', { where: { file }, expected: 'a GGUF file' })
  const name = 'llama.cpp'
  const model = basename(file)
  let opened: Promise<Opened> | undefined
  const open = (): Promise<Opened> => (opened ??= openModel(file, load))
  let last: Promise<unknown> = Promise.resolve()
  /** A context has one sequence: calls wait for each other. */
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work, work)
    last = result.catch(() => undefined)
    return result
  }

  async function draw(
    request: Sampling,
    n: number,
    signal: AbortSignal,
    textOf: string,
    write: (library: LlamaLibrary, contextSequence: Sequence, settings: Settings) => Promise<Response>,
  ): Promise<Generation> {
    if (request.logprobs !== undefined) throw missing('log-probabilities')
    if (request.extra) throw missing(`the fields ${Object.keys(request.extra).join(', ')}`)
    const { library, llama, loaded, context } = await open()
    const promptTokens = loaded.tokenize(textOf).length
    if (promptTokens >= context.contextSize) {
      throw new Fault('GRD-CALL-009', {
        found: `${promptTokens} tokens`,
        expected: `fewer than ${context.contextSize}`,
      })
    }
    const grammar = request.schema === undefined ? undefined : await llama.createGrammarForJsonSchema(request.schema)
    const completions: Completion[] = []
    const usage = { promptTokens: 0, completionTokens: 0 }
    for (let i = 0; i < n; i++) {
      signal.throwIfAborted()
      const sequence = context.getSequence()
      try {
        const { response, metadata } = await write(library, sequence, {
          signal,
          repeatPenalty: false,
          temperature: request.temperature ?? TEMPERATURE,
          seed: request.seed === undefined ? randomInt(SEEDS) : request.seed + i,
          ...(request.maxTokens !== undefined && { maxTokens: request.maxTokens }),
          ...(request.topP !== undefined && { topP: request.topP }),
          ...(request.stop && { customStopTriggers: request.stop }),
          ...(grammar !== undefined && { grammar }),
        })
        completions.push({ text: response, finish: finishOf(metadata.stopReason) })
        usage.promptTokens += sequence.tokenMeter.usedInputTokens
        usage.completionTokens += sequence.tokenMeter.usedOutputTokens
      } catch (cause) {
        if (signal.aborted) throw signal.reason
        const found = cause instanceof Error ? cause.message : String(cause)
        const fault = new Fault('GRD-CALL-004', { found, cause, usage })
        if (completions.length === 0) throw fault
        return { completions, usage, fault }
      } finally {
        sequence.dispose()
      }
    }
    return { completions, usage }
  }

  const endpoint: Endpoint = {
    name,
    model,
    // The size tells files of one name apart; hashing gigabytes would take longer than many a run.
    identity: { kind: 'llama.cpp', model, bytes: statSync(file).size },
    pool: `${name} ${model}`,
    concurrency: 1,
    async generate(request, n, signal) {
      const history = historyOf(request)
      const text = request.messages.map(({ content }) => content).join('\n')
      return await queued(() =>
        draw(request, n, signal, text, async (library, contextSequence, settings) => {
          const chat = new library.LlamaChat({ contextSequence })
          return await chat.generateResponse(history, settings).finally(() => chat.dispose())
        }),
      )
    },
    complete: (request, n, signal) =>
      queued(() =>
        draw(request, n, signal, request.prompt, async (library, contextSequence, settings) => {
          const completion = new library.LlamaCompletion({ contextSequence })
          const written = completion.generateCompletionWithMeta(request.prompt, settings)
          return await written.finally(() => completion.dispose())
        }),
      ),
    logprobs: async () => {
      throw missing('log-probabilities')
    },
    embed: async () => {
      throw missing('embeddings')
    },
    async capabilities(signal) {
      const { context } = await open()
      const models = async () => ({ data: [{ max_model_len: context.contextSize }] })
      return await probe(endpoint, { streams: async () => false, models }, signal)
    },
  }
  return endpoint
}

interface Opened {
  library: LlamaLibrary
  llama: Llama
  loaded: Model
  context: { contextSize: number; getSequence(): Sequence }
}

async function openModel(file: string, load: () => Promise<LlamaLibrary>): Promise<Opened> {
  const library = await load()
  const llama = await library.getLlama()
  try {
    const loaded = await llama.loadModel({ modelPath: file })
    return { library, llama, loaded, context: await loaded.createContext() }
  } catch (cause) {
    throw new GradusError('GRD-MODEL-003', {
      where: { file },
      found: cause instanceof Error ? cause.message : String(cause),
      expected: 'a GGUF file that llama.cpp can load into the memory that there is',
      cause,
    })
  }
}

/** Not a literal, so that the library need not be there to check or build this file. */
const LIBRARY: string = 'node-llama-cpp'

/** The library, where it is installed. @throws GradusError GRD-CLI-003 */
async function loadLlamaCpp(): Promise<LlamaLibrary> {
  const help = {
    expected: `${LIBRARY} 3, which is optional: its install downloads or builds llama.cpp`,
    try: [`npm install ${LIBRARY}`, '--policy http://127.0.0.1:8080/v1#NAME   (a llama.cpp server, no install here)'],
  }
  let library: Partial<LlamaLibrary>
  try {
    library = await import(LIBRARY)
  } catch (cause) {
    throw new GradusError('GRD-CLI-003', { found: `no ${LIBRARY}`, ...help, cause })
  }
  const { getLlama, LlamaChat, LlamaCompletion } = library
  if (!getLlama || !LlamaChat || !LlamaCompletion) {
    throw new GradusError('GRD-CLI-003', { found: `another version of ${LIBRARY}`, ...help })
  }
  return { getLlama, LlamaChat, LlamaCompletion }
}

function missing(what: string): Fault {
  return new Fault('GRD-CALL-011', { found: 'llama.cpp in this process', expected: what })
}

/** A last message of the assistant is one to go on writing, as the library reads it too. */
function historyOf(request: ChatRequest): ChatItem[] {
  if (request.tools) throw missing('tools')
  return request.messages.map(({ role, content }: Message): ChatItem => {
    if (role === 'tool') throw missing('tools')
    return role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content }
  })
}

function finishOf(stopReason: string): Completion['finish'] {
  if (stopReason === 'maxTokens') return 'length'
  return stopReason === 'abort' ? 'other' : 'stop'
}
