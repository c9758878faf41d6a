import { mount } from 'svelte'
import App from './app/App.svelte'
import { keepAppOnDevice } from './app/release.svelte'
import { connect } from './engine/client'
import { useEngine } from './engine/current'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/layout.css'

useEngine(connect)

const target = document.getElementById('app')
if (!target) throw new Error('BUG: index.html has no #app')
mount(App, { target })

void keepAppOnDevice().catch((error: unknown) => {
  console.warn('The app could not be kept on this device for offline use:', error)
})
