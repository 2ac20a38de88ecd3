// Sends a little of everything through the real SDK, to the host named on the command line.
const { Analytics } = require('@segment/analytics-node')

const analytics = new Analytics({ writeKey: 'wk_sdk', host: process.argv[2], flushAt: 7, flushInterval: 50, maxRetries: 5 })
const consent = { categoryPreferences: { Analytics: true, Advertising: false } }

analytics.identify({ userId: 'u_1', anonymousId: 'a_1', traits: { email: 'ada@example.com' }, context: { ip: '198.51.100.7', consent } })
analytics.track({ userId: 'u_1', event: 'Trial Started', properties: { plan: 'pro', price: 9.5, note: 'größer "so" \u2028 \ud83d\ude00' }, context: { consent } })
analytics.page({ anonymousId: 'a_1', category: 'Docs', name: 'Home', properties: { path: '/', title: 'Home' } })
analytics.screen({ userId: 'u_1', name: 'Settings' })
analytics.group({ userId: 'u_1', groupId: 'g_1', traits: { seats: 3 } })
analytics.alias({ userId: 'u_2', previousId: 'u_1' })
analytics.track({ userId: 'u_1', event: 'Past Event', timestamp: new Date(Date.now() - 86400000), messageId: 'my-own-id' })
for (let i = 0; i < 50; i++) {
  analytics.track({ anonymousId: 'a_' + i, event: 'Item Viewed', properties: { i, nested: { list: [i, null, true, {}] } } })
}
analytics.closeAndFlush({ timeout: 30000 })
