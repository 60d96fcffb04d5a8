/** Seconds of processor time that the work takes; unlike the clock they do not grow when the machine is busy. */
export function processorSeconds(work: () => void): number {
  const begun = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}
