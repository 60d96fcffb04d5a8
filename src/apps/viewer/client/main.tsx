import { render } from 'preact'
import { App } from './app.tsx'
import { startKeys } from './keys.tsx'
import { startPolling } from './state.ts'
import { startTheme } from './theme.ts'

startTheme()
startKeys()
startPolling()
render(<App />, document.getElementById('app')!)
