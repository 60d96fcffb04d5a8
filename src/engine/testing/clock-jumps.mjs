// Loaded before a worker of a test: its wall clock jumps back or forth by a day from one look to the next.
const now = Date.now
const DAY_MS = 86_400_000
let looks = 0
Date.now = () => now() + [0, DAY_MS, -DAY_MS][looks++ % 3]
