import { GradusError } from '../../core/errors.ts'
import { hasFields, place, share } from '../formats/format.ts'
import { asObject, asText } from '../formats/loose.ts'
import type { ProblemFormat } from './problem-format.ts'

/**
 * NL4OPT: an optimisation problem in words; the model behind it (objective and constraints) is its solution. A line is
 * an object with one member, named by the problem's number. There is no numeric answer in this set (OptiBench has one).
 */
export const nl4opt: ProblemFormat = {
  name: 'nl4opt',
  summary: 'linear programs in words, with objective and constraints annotated',
  home: 'https://github.com/nl4opt/nl4opt-competition',
  licence: 'MIT',
  detect: (sample) =>
    share(sample, (r) => hasFields(only(r)?.[1], 'document', 'obj_declaration', 'const_declarations')),
  read(record, at) {
    const [id, row] = only(record) ?? []
    const fields = asObject(row)
    const prompt = asText(fields?.['document'])
    const constraints = fields?.['const_declarations']
    if (id === undefined || prompt === undefined || !Array.isArray(constraints)) {
      throw new GradusError('GRD-IO-006', {
        where: place(at),
        found: id === undefined ? 'not one member' : `${id} without document or constraints`,
        expected: 'one member with document, obj_declaration and const_declarations',
      })
    }
    const solution = [fields?.['obj_declaration'], ...constraints].map((part) => JSON.stringify(part))
    return [{ id: `nl4opt/${id}`, prompt, solution, domain: 'nl4opt' }]
  },
}

function only(record: unknown): [string, unknown] | undefined {
  const members = Object.entries(asObject(record) ?? {})
  return members.length === 1 ? members[0] : undefined
}
