import type { Verb } from '../verb.ts'

/** Each verb is loaded only when it is called: `gradus --help` stays fast. */
export const VERBS: Record<string, { summary: string; load: () => Promise<Verb> }> = {
  start: {
    summary: 'a first look: labels the traces that come with Gradus',
    load: async () => (await import('./start.ts')).start,
  },
  run: {
    summary: 'from problems to proof: traces, labels, a reward model, better answers, a report',
    load: async () => (await import('./run.ts')).run,
  },
  label: {
    summary: 'risk, evidence and first wrong step for every trace',
    load: async () => (await import('./label.ts')).label,
  },
  sample: {
    summary: 'problems in, traces of a policy out',
    load: async () => (await import('./sample.ts')).sample,
  },
  solve: {
    summary: 'problems in, answers chosen by search out',
    load: async () => (await import('./solve.ts')).solve,
  },
  eval: {
    summary: "labels against people's labels, by each set's own rule",
    load: async () => (await import('./eval.ts')).evaluation,
  },
  inspect: {
    summary: 'what is in a file: records, labels, balance, oddities',
    load: async () => (await import('./inspect.ts')).inspect,
  },
  equal: {
    summary: 'do two written answers say the same?',
    load: async () => (await import('./equal.ts')).equality,
  },
  convert: { summary: 'between trace formats', load: async () => (await import('./convert.ts')).convert },
  data: {
    summary: 'public data sets by name: the list, or the paths of their files',
    load: async () => (await import('./data.ts')).data,
  },
  train: {
    summary: 'trains reward models on labelled traces, or the embedded policies from nothing',
    load: async () => (await import('./train.ts')).train,
  },
  score: {
    summary: 'step scores of a reward model for every trace',
    load: async () => (await import('./score.ts')).score,
  },
  credit: {
    summary: 'how much each step of an attempt deserves: advantages for policy training',
    load: async () => (await import('./credit.ts')).credit,
  },
  view: {
    summary: 'traces, trees, doubts and runs in the browser; labels by people',
    load: async () => (await import('./view.ts')).view,
  },
  serve: {
    summary: 'policies, scores and answers by search over HTTP, on this machine only',
    load: async () => (await import('./serve.ts')).serve,
  },
  mcp: {
    summary: 'tools for coding agents over the Model Context Protocol',
    load: async () => (await import('./mcp.ts')).mcp,
  },
  worker: {
    summary: 'does shards of jobs that commands with --engine postgres have planned',
    load: async () => (await import('./worker.ts')).worker,
  },
  status: {
    summary: 'jobs on many machines: progress, rate, spending, failures, workers',
    load: async () => (await import('./status.ts')).status,
  },
  replicate: {
    summary: "a paper's claim against its controls",
    load: async () => (await import('./replicate.ts')).replicate,
  },
  methods: {
    summary: 'the catalogue of formats, annotators, rules and models',
    load: async () => (await import('./methods.ts')).methods,
  },
}
