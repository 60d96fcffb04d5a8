// Loaded before a worker of a test: its wall clock jumps back and forth by a day, four times a second.
const now = Date.now
let jumps = 0
Date.now = () => now() + [0, 86_400_000, -86_400_000][jumps % 3]
setInterval(() => jumps++, 250).unref()
