import { GradusError } from '../../core/errors.ts'
import { type Format, place, type Sample, share } from './format.ts'
import { asObject } from './loose.ts'
import { writeOtlp } from './otlp-write.ts'
import { otlpSpans } from './span-records.ts'
import { tracesFromSpans } from './spans.ts'

/**
 * OTLP JSON exports with GenAI, OpenInference or framework attributes: `resourceSpans` by the specification, `batches`
 * as Grafana Tempo exports them; one trace for each trace id that has model calls or tools.
 */
export const otlp: Format = {
  name: 'otlp',
  summary: 'OpenTelemetry traces as OTLP JSON (also of Grafana Tempo)',
  home: 'https://opentelemetry.io/docs/specs/otlp/',
  container: 'jsonl',
  unit: 'document',
  detect: (sample: Sample) => share(sample, isEnvelope),
  read(record, at) {
    const spans = (record as unknown[]).flatMap(otlpSpans)
    const traces = tracesFromSpans(spans, 'otlp', at)
    if (traces.length === 0) {
      const found = `${spans.length} spans, none of a model or a tool`
      throw new GradusError('GRD-IO-012', { where: place(at), found, expected: 'GenAI or OpenInference attributes' })
    }
    return traces
  },
  write: (traces) => traces.map(writeOtlp),
}

const isEnvelope = (record: unknown): boolean =>
  ['resourceSpans', 'resource_spans', 'batches'].some((name) => Array.isArray(asObject(record)?.[name]))
