/** Named objects of bytes that every machine of a job can reach. Names have `/` between their parts. */
export interface ObjectStore {
  /** As given: a folder or `s3://bucket/prefix`. */
  readonly where: string
  /**
   * Stored whole or not at all; an object of the same name is replaced.
   * @throws GradusError GRD-IO-013/014 for a folder, GRD-STORE-001
   */
  put(name: string, bytes: Buffer): Promise<void>
  /** @throws GradusError GRD-STORE-002 where there is no such object, GRD-STORE-001 */
  get(name: string): Promise<Buffer>
  /** Size in bytes of every object whose name begins with the prefix; the prefix ends with `/`. */
  sizes(prefix: string): Promise<Map<string, number>>
}
