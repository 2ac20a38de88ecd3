// Sends a thousand events through the real SDK, to the host and with the key named on the command line, at a pace that lets its
// host die in between. Every tenth is one that the door refuses. It prints the id of each that the SDK believes delivered.
const { Analytics } = require('@segment/analytics-node')

const [host, writeKey, pace] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, flushAt: 20, flushInterval: 20, maxRetries: 100, httpRequestTimeout: 5000 })
const consent = { categoryPreferences: { Analytics: true, Advertising: false } }
analytics.on('error', () => {}) // the callback of each event tells

async function send() {
  for (let n = 0; n < 1000; n++) {
    const bad = n % 10 === 0
    const event = bad ? 'x'.repeat(200) : 'Feature Used'
    const messageId = `${bad ? 'bad' : 'node'}-${n}`
    analytics.track({ messageId, userId: 'u_node', event, properties: { feature: 'export' }, context: { consent } }, (err) => {
      if (!err) console.log(messageId)
    })
    await new Promise((resolve) => setTimeout(resolve, Number(pace)))
  }
  await analytics.closeAndFlush({ timeout: 90000 })
}
send()
