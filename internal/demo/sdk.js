// Sends events through the real SDK, to the host and with the key named on the command line. Every twentieth is one that the door
// refuses. It prints the id of each that the SDK believes delivered.
const { Analytics } = require('@segment/analytics-node')

const [host, writeKey, prefix, count] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, flushAt: 20, flushInterval: 100, maxRetries: 100, httpRequestTimeout: 10000 })
const consent = { categoryPreferences: { Analytics: true, Advertising: false } }
analytics.on('error', () => {}) // the callback of each event tells

for (let n = 0; n < Number(count); n++) {
  const messageId = `${prefix}-${n}`
  const event = n % 20 === 0 ? 'x'.repeat(200) : 'Feature Used'
  analytics.track({ messageId, userId: 'u_node', event, properties: { feature: 'export' }, context: { consent } }, (err) => {
    if (!err) console.log(messageId)
  })
}
analytics.closeAndFlush({ timeout: 90000 })
